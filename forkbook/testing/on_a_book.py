"""What users see of a place that is opened by `fb.connect(backend)`, as tests."""

from collections.abc import Sequence

import pandas as pd

from .. import frames
from ..backends.contract import Backend
from ..connect import connect
from ..model.states import id_of
from .reading import read
from .samples import ThreadSample

FRAMES = ("checkpoints", "messages", "tasks", "branches", "tokens")


class BookTests:
    """Tests of a book on the backend. It is not closed, because the backend belongs to its fixture."""

    def test_a_book_on_it_has_every_frame(self, backend: Backend, threads: list[ThreadSample]) -> None:
        book = connect(backend)
        assert {sample.thread_id for sample in threads} <= set(book.threads().thread_id)
        for sample in threads:
            history = book.history(sample.thread_id)
            states = {id_of(state): state for state in read(backend, sample.thread_id)}
            assert history.complete
            for name in FRAMES:
                wanted = frames.frame([], getattr(frames, name.upper()))
                assert getattr(history, f"{name}_df")().dtypes.to_dict() == wanted.dtypes.to_dict()
            shown = history.checkpoints_df()
            assert shown.checkpoint_id.tolist() == sorted(states)
            steps = [(states[id_]["metadata"] or {}).get("step") for id_ in sorted(states)]
            assert [None if pd.isna(step) else step for step in shown.step] == steps
            assert len(history.branches_df()) == _n_tips(sample.parents)

    def test_a_book_on_it_draws_every_checkpoint(self, backend: Backend, threads: list[ThreadSample]) -> None:
        book = connect(backend)
        for sample in threads:
            history = book.history(sample.thread_id)
            traces = [trace.customdata for trace in history.figure().data if trace.customdata is not None]
            assert {position for positions in traces for position in positions} == set(range(len(sample.parents)))
            assert all(cp.short_id in repr(history) for cp in history.tips)


def _n_tips(parents: Sequence[int | None]) -> int:
    return len(set(range(len(parents))) - set(parents))
