"""A checkpoint of a tree by what people name: its id or a piece of it, its branch, its step. Pure."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..errors import CheckpointNotFound, ForkbookError, InvalidInput
from .label import Label
from .text import short
from .tree import Tree

LEAST_DIGITS = 4  # of a piece of an id
MOST_NAMED = 5  # in an error's text


def position_of(tree: Tree, thread_id: str, key: Any, labels: Callable[[], Mapping[str, Label]] = dict) -> int:
    """The position of a checkpoint by its position, its id, its branch's letter, a piece of its id, or its label.

    Where a text fits several of these, the first of them in this order wins.

    Args:
        tree: The tree.
        thread_id: Its thread, for error texts.
        key: What names the checkpoint; a letter names the branch's tip, a negative number counts from the newest.
        labels: Gives the labels that people wrote, by checkpoint id; asked for where nothing else fits.

    Raises:
        CheckpointNotFound: None fits, or several do.
        InvalidInput: This is neither a text nor a number.
    """
    if isinstance(key, str):
        return _named(tree, thread_id, key, labels)
    try:
        return range(len(tree))[operator.index(key)]
    except IndexError:
        raise CheckpointNotFound(
            f"no checkpoint at position {key}: thread {thread_id} has {len(tree)}", thread_id=thread_id
        ) from None
    except TypeError:
        raise InvalidInput(f"a checkpoint is found by id or position, not by {short(key)}") from None


def _named(tree: Tree, thread_id: str, key: str, labels: Callable[[], Mapping[str, Label]]) -> int:
    if key in tree.index:
        return tree.index[key]
    branches = tree.numbers[""]
    if key in branches:
        return tree.tips_by_branch[branches[key]]
    wanted = key.lower()
    is_piece = len(key) >= LEAST_DIGITS
    fits = [id_ for id_ in tree.index if id_.startswith(wanted) or id_.endswith(wanted)] if is_piece else []
    if len(fits) == 1:
        return tree.index[fits[0]]
    labelled, told = _labelled(key, labels)
    here = [id_ for id_ in labelled if id_ in tree.index]
    if len(here) == 1:
        return tree.index[here[0]]
    if here:
        what, fits = f"{len(here)} have this label ({_some(here)}); give the id of the one you mean", here
    elif labelled:
        what = f"it is the label of {_some(labelled)}, not read here: in a subgraph, older than what was read, or newer"
    elif fits:
        what = f"{len(fits)} fit ({_some(fits)})"
    elif is_piece:
        what = f"none of its {len(tree)} ids starts or ends so{told}"
    else:
        raise CheckpointNotFound(
            f"no branch {key!r} in thread {thread_id}: it has {', '.join(branches) or 'none'}{told}; a "
            f"piece of an id needs at least {LEAST_DIGITS} hex digits",
            thread_id=thread_id,
            candidates=list(branches),
        )
    raise CheckpointNotFound(
        f"no checkpoint {key!r} in thread {thread_id}: {what}",
        thread_id=thread_id,
        checkpoint_id=key,
        candidates=fits,
    )


def _labelled(key: str, labels: Callable[[], Mapping[str, Label]]) -> tuple[list[str], str]:
    """The checkpoints that have a label, and in words which labels there are."""
    try:
        known = labels()
    except ForkbookError as error:
        return [], f"; its labels could not be read ({error})"
    names = dict.fromkeys(label.label for label in known.values() if label.label)
    told = f"; its labels are {_some([repr(name) for name in names])}" if names else ""
    return [id_ for id_, label in known.items() if label.label == key], told


def _some(names: Sequence[str]) -> str:
    """The first of some names."""
    return ", ".join(names[:MOST_NAMED]) + (", …" if len(names) > MOST_NAMED else "")


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
