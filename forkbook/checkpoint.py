"""A checkpoint as users hold it, and what an act on one left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

from .acts import answer, subgraphs, verbs
from .acts.act import Act
from .acts.options import Options, RunOptions
from .acts.rules import only_outside
from .acts.spot import Spot
from .aio import in_thread
from .backends.records import Graph, RunSettings
from .checkpoint_facts import CheckpointFacts
from .model.secrets import veiled
from .model.text import shown
from .model.tree import TIP_WORD, path_of
from .twins import twin

if TYPE_CHECKING:
    from .acts.write import Preview
    from .facts import Facts
    from .history import History
    from .sweep.result import Sweep
    from .sweep.running import Runner
    from .transfer import CopyReport


@dataclass(frozen=True, slots=True, repr=False)
class Checkpoint(CheckpointFacts):
    """One checkpoint of a history; two are equal when thread, namespace and id are.

    Attributes:
        history (History): The history it was taken from.
        id (str): Its id, a UUID; the time is in its first digits.
    """

    history: History
    id: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Checkpoint) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[str, str, str]:
        return (self.history.thread_id, self.history.tree.heads[self.position].ns, self.id)

    @property
    def spot(self) -> Spot:
        """The checkpoint as acts take it: its place, its thread as it was read, its position."""
        return Spot(self.history.book.backend, self.history.facts, self.position)

    @property
    def facts(self) -> Facts:
        """What follows from the states of its history."""
        return self.history.facts

    @property
    def position(self) -> int:
        """Its place in the history; 0 is the oldest."""
        return self.history.tree.index[self.id]

    @property
    def inside(self) -> Checkpoint | None:
        """Of a subgraph's checkpoint the one, a graph further out, whose task ran it; None: root graph, or unknown."""
        position = self.history.tree.inside[self.position]
        return self.history[position] if position >= 0 else None

    @property
    def subgraphs(self) -> dict[str, list[Checkpoint]]:
        """By namespace the checkpoints of the subgraphs that its tasks ran, oldest first; not those further in.

        Empty where `book.history(thread_id, subgraphs=True)` did not read them.
        """
        found: dict[str, list[Checkpoint]] = {}
        for position in self.history.tree.nested.get(self.position, ()):
            found.setdefault(self.history.tree.heads[position].ns, []).append(self.history[position])
        return found

    @property
    def parent(self) -> Checkpoint | None:
        """The checkpoint before it; None for a root, and where the parent is not in the history.

        >>> checkpoint.parent.title
        'generate_topic'
        """
        position = self.history.tree.parents[self.position]
        return self.history[position] if position >= 0 else None

    @property
    def children(self) -> list[Checkpoint]:
        """The checkpoints after it, oldest first."""
        return [self.history[position] for position in self.history.tree.children[self.position]]

    @property
    def lineage(self) -> list[Checkpoint]:
        """The path from the root down to it."""
        return [self.history[position] for position in self.history.tree.lineage(self.position)]

    @shown
    def __repr__(self) -> str:
        following = "unknown" if self.next is None else ", ".join(self.next) or "nothing"
        inside = f"in {' › '.join(path_of(self.namespace))} · " if self.namespace else ""
        return (
            f"<Checkpoint {self.short_id} · {inside}step {self.step} · {self.source} · {self.title} · "
            f"branch {self.branch}{f' ({TIP_WORD})' if self.is_tip else ''} · next: {following}>"
        )

    def preview(self, values: Mapping[str, Any], as_node: str | None = None, *, replace: bool = False) -> Preview:
        """What an edit would make of the state, and which nodes would run; the thread is untouched.

        It is tried on a scratch copy of the thread, so reducers and routing are the graph's own. No node runs.

        Args:
            values: The edit: channels to values, passed through the reducers; `{"__overwrite__": value}` replaces a
                channel that has one, `{"type": "remove", "id": …}` removes a message.
            as_node: The node that the edit is to come from; by default the last one. With `{}` it wrote nothing;
                `"__end__"` with `{}` ends the thread here.
            replace: Make each channel exactly what was typed, whatever its reducer.

        Raises:
            Refused: A channel or node does not exist.
            CheckpointNotFound: This checkpoint is gone.

        >>> checkpoint.parent.preview({"topic": "dogs"}).next
        ('write_joke',)
        """
        return verbs.preview(self.spot, values, as_node, replace)

    def edit(
        self, values: Mapping[str, Any], as_node: str | None = None, *, replace: bool = False, in_copy: bool = False
    ) -> Act[History, Checkpoint]:
        """Write an edit as a new checkpoint below this one; nothing runs.

        It moves the thread's head: the thread's next message follows the edit, unless `in_copy` is True, which edits in
        a copy of the thread. Arguments and errors as in `preview`.

        >>> checkpoint.parent.edit({"topic": "dogs"}, in_copy=True).checkpoint.values["topic"]
        'dogs'
        """
        return Act.of(self.history.book, verbs.edit(self.spot, values, as_node, replace, in_copy))

    def resume(
        self,
        *,
        input: Any = None,
        in_copy: bool = False,
        **options: Unpack[RunOptions],
    ) -> Act[History, Checkpoint]:
        """Run the graph on from here and wait for the end; nodes run again, with their models and side effects.

        Assistant, config and context that are not given are those of the run that wrote this checkpoint, so that a
        `user_id` is not lost; nodes to stop at are not taken over.

        Args:
            input: A new turn from here: channels to values, or whatever a functional graph takes. Then it may be
                finished; what was to run next does not.
            assistant: Assistant id or graph name.
            config: Run config. Without a `configurable` in it the run's own stays; with one it replaces context, too.
            context: Run context; it takes the place of the run's context and `configurable`.
            interrupt_before: Nodes to stop before; "*" is all.
            interrupt_after: Nodes to stop after; "*" is all.
            metadata: Text, numbers or booleans by name, which each checkpoint that the run writes carries.
            in_copy: Run in a copy of the thread, whose head stays where it is.
            on_event: Called with each `Event` of the run as it comes: checkpoints, tokens, tasks. What it raises
                cancels the run; after `StopRun` the act comes back with what was written until then.
            busy: Where another run is under way: `refuse`, `wait` for its end, or `enqueue` this one on the server.
            busy_timeout: How many seconds to wait.
            multitask_strategy: LangGraph's own word in the place of `busy`, `interrupt` or `rollback` for one.

        Raises:
            Refused: Nothing is left to run, or a channel or node does not exist.
            ThreadBusy: Another run is under way.

        >>> checkpoint.parent.resume(in_copy=True).status
        'finished'
        """
        act = subgraphs.resume if self.namespace else verbs.resume
        return Act.of(self.history.book, act(self.spot, input, Options.of(options, in_copy)))

    def fork(
        self,
        values: Mapping[str, Any],
        as_node: str | None = None,
        *,
        replace: bool = False,
        input: Any = None,
        in_copy: bool = False,
        **options: Unpack[RunOptions],
    ) -> Act[History, Checkpoint]:
        """Edit, then resume from the edit, with an input if there is one: a new branch.

        Arguments as in `preview` and `resume`; with `enqueue` the edit waits for the thread, as no server queues it.

        Raises:
            Refused: After this edit nothing would run; nothing was written.

        >>> checkpoint.parent.fork({"topic": "dogs"}, in_copy=True).status
        'finished'
        """
        act = subgraphs.fork if self.namespace else verbs.fork
        done = act(self.spot, values, as_node, replace, input, Options.of(options, in_copy))
        return Act.of(self.history.book, done)

    def answer(
        self,
        value: Any = ...,
        *,
        by_id: Mapping[str, Any] | None = None,
        in_copy: bool = False,
        **options: Unpack[RunOptions],
    ) -> Act[History, Checkpoint]:
        """Answer what this checkpoint asks (`waiting_for`), and run on; the node that asked runs again from its top.

        What was answered before is asked anew on a new branch, by a replay, and answered there: LangGraph itself would
        silently give the old answer. A node that asks several questions in a row starts with its first one then.

        Args:
            value: The answer, to the only question that is open here, or, if none is, to the only one there was.
            by_id: Several answers, by ids of `waiting_for`, in the place of `value`; those left out go on waiting.
            assistant, config, context, interrupt_before, interrupt_after, metadata, in_copy, on_event, busy,
                busy_timeout, multitask_strategy: As in `resume`. A replay is a run of its own.

        Raises:
            InvalidInput: Neither of the two is given, or both are.
            Refused: Nothing is asked here, or several questions are and one value is given; nothing was written.
            ActFailed: The replay did not ask the same again.
        """
        act = subgraphs.answer if self.namespace else answer.answer
        return Act.of(self.history.book, act(self.spot, value, by_id, Options.of(options, in_copy)))

    def sweep(
        self,
        edits: Iterable[Any],
        repeats: int = 1,
        inputs: Iterable[Any] | None = None,
        concurrency: int = 4,
        score: Callable[[Checkpoint], Any] | None = None,
        *,
        parallel: bool = False,
        max_total_tokens: int | None = None,
        replace: bool = False,
        wait: bool = True,
        **settings: Any,
    ) -> Sweep[History, Checkpoint]:
        """Try many variants from here, a branch each, and compare them: `sweep.df()`, `sweep.figure()`.

        One after another they fill this thread's tree. An interrupt of the kernel ends the sweep; what is finished
        stays, and the sweep that comes back says what is not. A variant that fails is a row with its error.

        Variants share the store: what one variant's run writes there, the next one reads, in copies, too. Copies are
        threads like any other: `sweep.delete()` removes them, and `book.threads()` shows them with `forkbook_sweep_of`
        in their `metadata`, so that `[not m.get("forkbook_sweep_of") for m in threads.metadata]` leaves them out.

        Args:
            edits: What to try: mappings of channel values, `fb.Edit(values, as_node)`, `fb.Answer(value)` or
                `fb.Answer(by_id={…})` for what this checkpoint asks, None to run again from here.
            repeats: How often each is run.
            inputs: Inputs of a new turn; every edit is tried with every input.
            concurrency: With `parallel`, how many run at a time.
            score: Takes a branch's last checkpoint; gives a number (NaN: none), bool, text, or a dict of them.
            parallel: Give each branch a copy of the thread of its own, and run them side by side; this thread then
                stays as it is.
            max_total_tokens: Start no further variant once the sweep's own branches have spent so many tokens; those
                under way then, up to `concurrency`, run to their end, so that more may be spent.
            replace: Make each edited channel exactly what was typed, whatever its reducer.
            wait: False: return at once; in a notebook a bar with a Stop button shows how far it is.
            **settings: `assistant`, `config`, `context`, `interrupt_before`, `interrupt_after`, `metadata` as in
                `resume`.

        Raises:
            InvalidInput: There is nothing to try, or an argument cannot be right.
            Refused: A channel or node does not exist, or no interrupt waits; nothing was written.
        """
        settings = {name: veiled(value) for name, value in settings.items()}
        runner = self._runner(
            edits,
            repeats,
            inputs,
            concurrency,
            score,
            parallel=parallel,
            max_total_tokens=max_total_tokens,
            replace=replace,
            **settings,
        )
        return runner.run() if wait else runner.start(self.history.book.sweep_bar)

    def _runner(self, edits: Iterable[Any], *args: Any, **more: Any) -> Runner[History, Checkpoint]:
        from .sweep.planning import prepare

        more = {name: veiled(value) for name, value in more.items()}
        only_outside(self.spot, "a sweep")
        return prepare(self.history.book, self.spot, edits, *args, **more)

    def copy(self, metadata: Mapping[str, Any] | None = None, verify: bool = True) -> CopyReport:
        """Copy the conversation up to here into a thread of its own, and verify the copy; see `Book.copy`."""
        return self.history.copy(self, metadata, verify)

    async def asweep(self, edits: Iterable[Any], *args: Any, **more: Any) -> Sweep[History, Checkpoint]:
        """`sweep` for async code; cancelling it cancels the runs under way, what is finished stays."""
        from asyncio import CancelledError

        runner = await in_thread(self._runner, edits, *args, **more)
        try:
            return await in_thread(runner.run)
        except CancelledError:
            runner.stop()
            raise

    apreview, aedit, acopy = twin(preview), twin(edit), twin(copy)
    aresume, afork, aanswer = twin(resume), twin(fork), twin(answer)

    def own_settings(self) -> RunSettings:
        """How the run was run that led here: that of the nearest checkpoint above that a run wrote."""
        return self.spot.own_settings()

    def assistant_graph(self) -> Graph:
        """The graph that wrote it: its nodes and channels.

        Raises:
            InvalidInput: No run says which graph it is.
        """
        return self.spot.assistant_graph()
