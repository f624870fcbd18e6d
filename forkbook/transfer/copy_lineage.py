"""The conversation up to a checkpoint, as a thread of its own: what led there, and nothing beside or after it."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..backends.capabilities import Capability
from ..backends.contract import Backend
from ..backends.read import inside, reading
from ..backends.retry import Retry
from ..errors import InvalidInput
from ..marks import checked_metadata, inherited, mark_of_copy
from ..model.reserved import START
from ..model.states import State, Thread, head_of, namespace
from ..model.tree import Tree
from ..snippets import place_of
from .compare_by_shape import by_shape
from .copy import whole_or_gone
from .migrate import writer_for
from .original import Original, known_part, read
from .outcome import CopyReport
from .verify import compared

LED_ELSEWHERE = "results of tasks that led to checkpoints outside the lineage: in the copy these tasks did not run"


def copy_lineage(
    backend: Backend,
    thread_id: str,
    states: Sequence[State],
    checkpoint_id: str,
    metadata: Mapping[str, Any] | None = None,
    verify: bool = True,
) -> CopyReport:
    """Write the lineage of a checkpoint as a new thread, read it back, and compare.

    A checkpointer takes the checkpoints as they are; a server makes them anew, with ids of its own.

    Args:
        backend: Where the thread is.
        thread_id: The thread.
        states: All its states, at least those of the root namespace.
        checkpoint_id: The checkpoint, one of them.
        metadata: Merged into what the new thread has of the thread's own metadata.
        verify: Whether to compare.

    Raises:
        InvalidInput: The checkpoint is within a subgraph, or the metadata cannot be set.
        ForkbookError: It failed. What was written was deleted, or the error names it: `details["new_thread_id"]`.
    """
    given = checked_metadata(metadata)
    backend.require(Capability.WRITE, "copy a thread")
    roots = {state["checkpoint"]["checkpoint_id"]: state for state in states if not namespace(state)}
    if checkpoint_id not in roots:
        raise InvalidInput(
            f"checkpoint {checkpoint_id} is within a subgraph, which is no conversation of its own: copy up to the "
            "checkpoint of the root graph whose task ran it",
            thread_id=thread_id,
            checkpoint_id=checkpoint_id,
        )
    writer, ask = writer_for(backend), Retry().read
    record = ask(lambda: backend.thread(thread_id))
    original, left_out = _lineage(backend, record, roots, checkpoint_id, given)
    known, unknown = known_part(original)
    copy_id = str(uuid.uuid4())
    marks = mark_of_copy(thread_id, copy_id, checkpoint_id, "writing")
    report = CopyReport(
        thread_id,
        copy_id,
        "not compared",
        checkpoint_id=checkpoint_id,
        way="planted" if writer.exact else "rebuilt",
        place=place_of(backend),
    )
    with whole_or_gone(backend, copy_id):
        notes = dict.fromkeys(writer.write(known, copy_id, {**known.metadata, **marks}), 1)
        report = replace(report, not_kept={**left_out, **unknown, **notes})
        if verify:
            report = _judged(report, original, ask(lambda: read(backend, backend.thread(copy_id))))
        ask(lambda: backend.tag(copy_id, mark_of_copy(thread_id, copy_id, checkpoint_id)))
    return report


def _lineage(
    backend: Backend, record: Thread, roots: Mapping[str, State], checkpoint_id: str, given: Mapping[str, Any]
) -> tuple[Original, dict[str, int]]:
    """What is to be written; and what is left out of it, in words."""
    tree = Tree([head_of(state) for state in roots.values()])
    positions = tree.lineage(tree.index[checkpoint_id])
    path, hosts = [], set()
    for position, after in zip(positions, [*positions[1:], None], strict=True):
        state, children = roots[tree.heads[position].id], tree.children[position]
        ran = [child for child in children if tree.heads[child].source == "loop"] or children
        elsewhere = bool(ran) and ran[0] != after and any(map(_has_result, state["tasks"] or ()))
        path.append(_yet_to_run(state) if elsewhere else state)
        if not elsewhere:
            hosts.add(tree.heads[position].id)
    thread_id = str(record["thread_id"])
    nested, _ = inside(backend, thread_id, path, reading(backend, thread_id))
    nested = [state for state in nested if _root_host(state) in hosts]
    metadata = {**inherited(record.get("metadata") or {}), **given}
    status = record.get("status") if checkpoint_id == max(roots) else None
    copied = {**record, "metadata": metadata, "status": status}
    written = Original(copied, [*path, *nested], backend.classes)
    return written, {LED_ELSEWHERE: len(path) - len(hosts)} if len(path) > len(hosts) else {}


def _has_result(task: Mapping[str, Any]) -> bool:
    """Whether a task has one; that of `__start__` is the input, which its checkpoint brought along."""
    return task.get("result") is not None and task["name"] != START


def _yet_to_run(state: State) -> State:
    """A state as it was before the tasks ran that have a result."""
    fresh: dict[str, Any] = {"result": None, "interrupts": [], "checkpoint": None, "state": None}
    tasks = [{**task, **fresh} if _has_result(task) else task for task in state["tasks"]]
    return {**state, "tasks": tasks, "interrupts": [asked for task in tasks for asked in task["interrupts"] or ()]}


def _root_host(state: State) -> Any:
    """The checkpoint of the root namespace whose task ran a subgraph, as LangGraph's metadata have it."""
    return ((state["metadata"] or {}).get("parents") or {}).get("")


def _judged(report: CopyReport, original: Original, copied: Original) -> CopyReport:
    """The report with what a comparison found."""
    found, shape = compared(original, copied), by_shape(original.tree, copied.tree)
    ids = {original.tree.heads[a].id: copied.tree.heads[b].id for a, b in shape.items()}
    is_new = any(old != new for old, new in ids.items())
    return replace(
        report,
        verdict=found.verdict,
        compared=len(original.roots if is_new else original.states),
        differences=found.differences,
        not_kept={**report.not_kept, **found.not_kept},
        ids=ids if is_new else {},
    )
