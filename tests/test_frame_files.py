"""Every frame goes to Parquet and Excel as it is, and comes back."""

import gzip
import io
import json
import warnings
from pathlib import Path

import pandas as pd
import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from shapes import ai, facts_of, human, state

import forkbook as fb
from forkbook import frames
from forkbook.columns import JSON, NAMES, OBJECT
from forkbook.compare import diff as changes
from forkbook.frame_files import LONGEST_CELL, Frame
from forkbook.frames import frame
from forkbook.store import snapshot

FRAMES = ("checkpoints_df", "messages_df", "tasks_df", "branches_df", "tokens_df")
TABLES = (frames.THREADS, frames.CHECKPOINTS, frames.MESSAGES, frames.TASKS, frames.BRANCHES, frames.TOKENS)


def objects(cell):
    """A cell as it was in memory."""
    return None if cell is None or cell is pd.NA else json.loads(cell)


@pytest.fixture
def history():
    build = StateGraph(MessagesState)
    build.add_node("say", lambda given: {"messages": [AIMessage("ok")]})
    build.add_edge(START, "say")
    graph = build.compile(checkpointer=InMemorySaver())
    graph.invoke({"messages": [HumanMessage("hi")]}, {"configurable": {"thread_id": "t"}})
    return fb.connect(graph)["t"]


@pytest.fixture
def book_of(history):
    return history.book


MIXED = [{"a": {}}, {}, [], "text", 5, None, [{"b": [1, "x"]}], True, 2**70, 1.5, "\ud83d"]


@pytest.fixture
def odd():
    rows = [{"task_id": str(n), "writes": value, "interrupts": [value]} for n, value in enumerate(MIXED)]
    return frame(rows, frames.TASKS)


@pytest.mark.parametrize("name", FRAMES)
def test_parquet_and_excel_as_they_are(history, name, tmp_path):
    df = getattr(history, name)()
    df.to_parquet(tmp_path / "x.parquet")
    back = pd.read_parquet(tmp_path / "x.parquet")
    assert back.shape == df.shape
    typed = list(df.select_dtypes(exclude=object).columns)
    assert back.dtypes[typed].astype(str).to_dict() == df.dtypes[typed].astype(str).to_dict()
    df.to_excel(tmp_path / "x.xlsx", index=False)
    assert list(pd.read_excel(tmp_path / "x.xlsx").columns) == list(df.columns)
    df.head(0).to_parquet(tmp_path / "empty.parquet")
    df.head(0).to_excel(tmp_path / "empty.xlsx")


def test_objects_are_objects_in_memory_and_json_in_files(history, tmp_path):
    df = history.tasks_df()
    assert isinstance(df.writes[0], dict)
    df.to_parquet(tmp_path / "x.parquet")
    assert [objects(cell) for cell in pd.read_parquet(tmp_path / "x.parquet").writes] == df.writes.tolist()
    next_ = history.checkpoints_df().next
    history.checkpoints_df().to_parquet(tmp_path / "y.parquet")
    assert [list(cell) for cell in pd.read_parquet(tmp_path / "y.parquet").next] == next_.tolist()


def test_cells_of_any_type(odd, tmp_path):
    odd.to_parquet(tmp_path / "x.parquet")
    odd.to_feather(tmp_path / "x.feather")
    odd.to_excel(tmp_path / "x.xlsx")
    odd.to_csv(tmp_path / "x.csv")
    for back in (pd.read_parquet(tmp_path / "x.parquet"), pd.read_feather(tmp_path / "x.feather")):
        assert [objects(cell) for cell in back.writes] == MIXED
        assert [objects(cell)[0] for cell in back.interrupts] == MIXED


@pytest.mark.parametrize("columns", [*TABLES, snapshot.ITEMS, snapshot.CHANGES, changes.COLUMNS])
def test_each_column_of_objects_has_one_form_in_files(columns, tmp_path):
    named = {name for name, dtype in columns.items() if dtype == OBJECT}
    assert named <= {*NAMES, *JSON}
    frame([dict.fromkeys(named - {*NAMES}, "text")], columns).to_parquet(tmp_path / "x.parquet")
    back = pd.read_parquet(tmp_path / "x.parquet")
    assert {back[name][0] for name in named - {*NAMES}} <= {'"text"'}


def test_frames_made_of_frames(history, odd, tmp_path):
    tasks = history.tasks_df()
    for made in (
        tasks[tasks.name == "say"],
        tasks[["name", "writes"]],
        tasks.merge(history.checkpoints_df(), on=list(tasks.columns[:3])),
        pd.concat([tasks, odd], ignore_index=True),
        tasks.assign(seen="x", number=1, mixed=[1] * len(tasks)),
        tasks.set_index("task_id"),
        tasks.sort_values("name").reset_index(drop=True),
    ):
        assert isinstance(made, Frame)
        made.to_parquet(tmp_path / "x.parquet")
        made.to_excel(tmp_path / "x.xlsx")


def test_users_own_columns_stay_what_they_are(odd, tmp_path):
    own = odd.assign(label=pd.Series(["a"] * len(odd), dtype=object), n=pd.Series([1, 2.5] + [3] * 9, dtype=object))
    own.to_parquet(tmp_path / "x.parquet")
    back = pd.read_parquet(tmp_path / "x.parquet")
    assert set(back.label) == {"a"}
    assert back.n.tolist()[:2] == [1, 2.5]


def test_times_in_excel_are_utc(tmp_path):
    facts = facts_of(state("1", values={"messages": [human("h"), ai("m")]}))
    df = frame(list(frames.checkpoints_rows(facts)), frames.CHECKPOINTS)
    df.to_excel(tmp_path / "x.xlsx")
    assert pd.read_excel(tmp_path / "x.xlsx").created_at[0] == df.created_at[0].tz_localize(None)
    assert str(df.created_at.dtype) == "datetime64[us, UTC]"


def test_foreign_text_in_excel_is_text(tmp_path):
    import openpyxl

    texts = ["=1+1", "a\x1b[31m\x00b\nc", "x" * (LONGEST_CELL + 5), "\ud83d", '=HYPERLINK("http://x")']
    df = frame([{"text": text, "name": "=2"} for text in texts], frames.MESSAGES)
    with pytest.warns(UserWarning, match="1 texts of column text are cut: a cell of Excel holds 32,767 characters"):
        df.to_excel(tmp_path / "x.xlsx", index=False)
    sheet = openpyxl.load_workbook(tmp_path / "x.xlsx").active
    place = list(df.columns).index("text")
    cells = [row[place] for row in sheet.iter_rows(min_row=2)]
    assert [cell.data_type for cell in cells] == ["s"] * 5
    assert cells[0].value == "=1+1"
    assert cells[1].value == "a␛[31m␀b\nc"
    assert (len(cells[2].value), cells[2].value[-1]) == (LONGEST_CELL, "…")
    with warnings.catch_warnings(), pd.ExcelWriter(tmp_path / "two.xlsx") as writer:
        warnings.simplefilter("ignore")
        df.to_excel(writer, sheet_name="mine")
    assert openpyxl.load_workbook(tmp_path / "two.xlsx")["mine"]["F2"].data_type != "f"


def test_other_frames_too(book_of, history, tmp_path):
    comparison = history.compare(0, -1)
    for number, df in enumerate((
        book_of.threads(), book_of.copies("t"), comparison.df(), comparison.tasks_df(), comparison.messages_df(),
        comparison.tokens_df(), fb.compare(history).df(), comparison.diff.df(),
    )):  # fmt: skip
        df.to_parquet(tmp_path / f"{number}.parquet")
        df.to_excel(tmp_path / f"{number}.xlsx")
        assert isinstance(df.flat(), pd.DataFrame)


def test_an_export_gives_the_same_cells(history, tmp_path):
    history.book.export(tmp_path / "all.parquet")
    for name in FRAMES:
        getattr(history, name)().to_parquet(tmp_path / "x.parquet")
        ours, theirs = pd.read_parquet(tmp_path / "x.parquet"), pd.read_parquet(tmp_path / "all.parquet" / name[:-3])
        assert [repr(cell) for cell in ours.astype(object).to_numpy().ravel()] == [
            repr(cell) for cell in theirs.astype(object).to_numpy().ravel()
        ]


class TestWhere:
    """A file of this machine appears when it is whole; anything else is written as pandas does."""

    @pytest.fixture
    def df(self, history):
        return history.checkpoints_df()

    def test_one_that_cannot_be_written_stays_as_it_was(self, df, tmp_path, monkeypatch):
        df.to_csv(path := tmp_path / "x.csv")
        before = path.read_bytes()

        def full(self, place, **more):
            Path(place).write_text("half")
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(pd.DataFrame, "to_csv", full)
        with pytest.raises(fb.SourceError, match=r"x\.csv cannot be written: .*No space left"):
            df.to_csv(path)
        assert (path.read_bytes(), [item.name for item in tmp_path.iterdir()]) == (before, ["x.csv"])

    def test_no_folder(self, df, tmp_path):
        with pytest.raises(fb.InvalidInput, match="there is no folder"):
            df.to_excel(tmp_path / "none" / "x.xlsx")

    def test_a_mode_is_kept(self, df, tmp_path):
        (path := tmp_path / "x.csv").touch()
        path.chmod(0o640)
        df.to_csv(path)
        assert path.stat().st_mode & 0o777 == 0o640

    def test_what_is_no_name_of_a_file(self, df, tmp_path):
        assert df.to_csv() == df.flat().to_csv()
        assert df.to_parquet() == df.flat(lists=True).to_parquet()
        df.to_csv(buffer := io.StringIO())
        assert buffer.getvalue() == df.to_csv()

    def test_more_at_the_end_and_packed(self, df, tmp_path):
        df.to_csv(path := tmp_path / "x.csv")
        df.to_csv(path, mode="a")
        assert path.read_text() == 2 * df.to_csv()
        df.to_csv(path := tmp_path / "x.csv.gz")
        assert gzip.decompress(path.read_bytes()).decode() == df.to_csv()

    def test_a_link_stays_a_link(self, df, tmp_path):
        (tmp_path / "link.csv").symlink_to(tmp_path / "x.csv")
        df.to_csv(tmp_path / "link.csv")
        assert (tmp_path / "link.csv").is_symlink()
        assert (tmp_path / "x.csv").read_text() == df.to_csv()

    def test_a_folder_of_parts(self, df, tmp_path):
        df.to_parquet(tmp_path / "parts", partition_cols=["step"])
        assert len(list((tmp_path / "parts").iterdir())) == df.step.nunique()
