"""A checkpoint of a tree by what people name: its id or a piece of it, its branch, its step. Pure."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

from ..errors import CheckpointNotFound, InvalidInput
from .text import short
from .tree import Tree

LEAST_DIGITS = 4  # of a piece of an id


def position_of(tree: Tree, thread_id: str, key: Any) -> int:
    """The position of a checkpoint by its position, its id, the begin or end of its id, or its branch's label.

    Args:
        tree: The tree.
        thread_id: Its thread, for error texts.
        key: What names the checkpoint; a label names the branch's tip, a negative number counts from the newest.

    Raises:
        CheckpointNotFound: None fits, or several do.
        InvalidInput: This is neither a text nor a number.
    """
    if isinstance(key, str):
        return _named(tree, thread_id, key)
    try:
        return range(len(tree))[operator.index(key)]
    except IndexError:
        raise CheckpointNotFound(
            f"no checkpoint at position {key}: thread {thread_id} has {len(tree)}", thread_id=thread_id
        ) from None
    except TypeError:
        raise InvalidInput(f"a checkpoint is found by id or position, not by {short(key)}") from None


def _named(tree: Tree, thread_id: str, key: str) -> int:
    if key in tree.index:
        return tree.index[key]
    branches = tree.numbers[""]
    if key in branches:
        return tree.tips_by_branch[branches[key]]
    if len(key) < LEAST_DIGITS:
        raise CheckpointNotFound(
            f"no branch {key!r} in thread {thread_id}: it has {', '.join(branches) or 'none'}; a "
            f"piece of an id needs at least {LEAST_DIGITS} hex digits",
            thread_id=thread_id,
            candidates=list(branches),
        )
    wanted = key.lower()
    fits = [id_ for id_ in tree.index if id_.startswith(wanted) or id_.endswith(wanted)]
    if len(fits) == 1:
        return tree.index[fits[0]]
    some = ", ".join(fits[:5]) + (", …" if len(fits) > 5 else "")
    raise CheckpointNotFound(
        f"no checkpoint {key!r} in thread {thread_id}: "
        + (f"{len(fits)} fit ({some})" if fits else f"none of its {len(tree)} ids starts or ends so"),
        thread_id=thread_id,
        checkpoint_id=key,
        candidates=fits,
    )


def position_at(tree: Tree, thread_id: str, step: int | None, branch: str | None, ns: str, *, subgraphs: bool) -> int:
    """The position of the checkpoint at a step of a branch; arguments and errors as in `History.at`.

    Args:
        tree: The tree.
        thread_id: Its thread, for error texts.
        step: LangGraph's superstep; None: the branch's tip.
        branch: The branch's label; None: any branch that has the step.
        ns: The namespace.
        subgraphs: Whether the subgraphs of the thread were read.
    """
    if step is None and branch is None:
        raise InvalidInput("at() needs a step, a branch, or both")
    if (numbers := tree.numbers.get(ns)) is None:
        known = [found for found in tree.numbers if found]
        raise InvalidInput(
            f"no subgraph {ns!r} in this history of thread {thread_id}: it has {', '.join(known) or 'none'}"
            + ("" if subgraphs else "; book.history(thread_id, subgraphs=True) reads them"),
            thread_id=thread_id,
            candidates=known,
        )
    if branch is not None and branch not in numbers:
        raise InvalidInput(
            f"no branch {branch!r} in thread {thread_id}: it has {', '.join(numbers) or 'none'}",
            thread_id=thread_id,
            candidates=list(numbers),
        )
    tip = None if branch is None else tree.tips_by_branch[numbers[branch]]
    if step is None and tip is not None:
        return tip
    if not isinstance(step, int):
        raise InvalidInput(f"a step is a number, not {short(step)}")
    path = [at for at in (range(len(tree)) if tip is None else tree.lineage(tip)) if tree.heads[at].ns == ns]
    found = [at for at in path if tree.heads[at].step == step]
    if len(found) == 1 or (found and tip is not None):
        return found[-1]
    raise CheckpointNotFound(
        f"{len(found) or 'no'} checkpoints at step {step}{f' of branch {branch}' if branch else ''}: "
        + (
            f"{', '.join(f'{tree.heads[at].id[-6:]} on {tree.label(at)}' for at in found)}; add branch="
            if found
            else f"there are {_steps(tree.heads[at].step for at in path)}"
        ),
        thread_id=thread_id,
        candidates=[tree.heads[at].id for at in found],
    )


def _steps(steps: Iterable[int | None]) -> str:
    """Steps as text: `steps -1 to 4`, which may lack some in between."""
    known = {step for step in steps if step is not None}
    return f"steps {min(known)} to {max(known)}" if known else "none"
