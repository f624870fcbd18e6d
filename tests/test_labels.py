"""Labels and notes on checkpoints: kept in every kind of place, found by their names, and nowhere else."""

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading

import pytest
from agents.server import tenants_server
from databases import fresh_database
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.store.memory import InMemoryStore
from langgraph_sdk import get_sync_client
from seeding import compiled, seed

import forkbook as fb
from forkbook.backends.labels import labels_of
from forkbook.demo.agent import builder
from forkbook.demo.seed import THREADS
from forkbook.model.label import Label

JOKE = THREADS["time travel"]
PLACES = ["graph", "graph with a store", "graph on a file", "sqlite", "archive", "json"]
OUTSIDE = ["server", "cached server", "postgres", "graph on postgres"]


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch):
    """Where files of labels go that stand beside nothing."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "forkbook" / "labels"


def in_memory(store=None):
    """The sample agent with its threads in memory, and with this store."""
    saver = InMemorySaver()
    seed(compiled(saver))
    return builder.compile(checkpointer=saver, store=store)


@pytest.fixture(params=[*PLACES, *(pytest.param(name, marks=pytest.mark.outside) for name in OUTSIDE)])
def place(request, tmp_path):
    """What opens a place anew, as another program would, and the id of a thread with a joke and its fork there."""
    name = request.param
    if "server" in name:
        url = request.getfixturevalue("demo_url")
        thread_id = request.getfixturevalue("demo_threads")["time travel"]
        with fb.connect(url) as book:
            copied = book.copy(thread_id).new_thread_id
        cache = {"cache": tmp_path / "cache.forkbook"} if "cached" in name else {}
        yield (lambda: fb.connect(url, **cache)), copied
        with fb.connect(url) as book:
            book.backend.delete(copied)
        return
    if "postgres" in name:
        from langgraph.checkpoint.postgres import PostgresSaver

        uri = fresh_database(request.getfixturevalue("postgres"))
        with PostgresSaver.from_conn_string(uri) as saver:
            saver.setup()
            seed(compiled(saver))
            graph = builder.compile(checkpointer=saver)
            yield (lambda: fb.connect(graph if name.startswith("graph") else uri)), JOKE
        return
    if name in ("sqlite", "graph on a file"):
        with SqliteSaver.from_conn_string(str(tmp_path / "x.db")) as saver:
            seed(compiled(saver))
            graph = builder.compile(checkpointer=saver)
            yield (lambda: fb.connect(tmp_path / "x.db" if name == "sqlite" else graph)), JOKE
        return
    graph = in_memory(InMemoryStore() if "store" in name else None)
    if name.startswith("graph"):
        yield (lambda: fb.connect(graph)), JOKE
        return
    path = tmp_path / ("x.forkbook" if name == "archive" else "x.json")
    with fb.connect(graph) as book:
        book.export(path)
    yield (lambda: fb.connect(path)), JOKE


def files(tmp_path):
    return sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*labels.json"))


def test_a_label_is_there_for_the_next_who_opens_the_place(place, tmp_path):
    connect, thread_id = place
    with connect() as book:
        history = book[thread_id]
        assert history.labels == {}
        asked, tip = history[2], history.tips[1]
        given = history.label(asked, "good one", note="two\nlines, \u05d8\u05d5\u05d1, \u597d", star=True)
        assert given == Label("good one", "two\nlines, \u05d8\u05d5\u05d1, \u597d", True)
        history.label("B", star=True)
    with connect() as book:
        history = book[thread_id]
        assert history.labels == {asked.id: given, tip.id: Label(star=True)}
        assert history["good one"] == asked
        df = history.checkpoints_df()
        assert df.dtypes["label"] == "string"
        assert df.set_index("checkpoint_id").label.dropna().to_dict() == {asked.id: "good one"}
        history.label("good one", note="")
        history.label(tip, star=False)
        assert history.labels == {asked.id: Label("good one", None, True)}
    with connect() as book:
        history = book[thread_id]
        assert history.labels == {asked.id: Label("good one", None, True)}
        history.label(asked, "", star=False)
    with connect() as book:
        assert book[thread_id].labels == {}
        with pytest.raises(fb.CheckpointNotFound):
            book[thread_id]["good one"]
    assert files(tmp_path) == []


def test_the_thread_stays_as_it_is(place):
    connect, thread_id = place
    with connect() as book:
        before = book.backend.thread(thread_id), book[thread_id].states
        book[thread_id].label(0, "x", note="y")
        assert (book.backend.thread(thread_id), book[thread_id].states) == before
        book[thread_id].label(0, "", note="")


@pytest.mark.outside
def test_a_server_keeps_them_in_its_store_which_does_not_show_them(book, client, joke_thread):
    history = book[joke_thread]
    history.label(0, "first")
    assert client.store.get_item(["forkbook", joke_thread], history[0].id)["value"] == {"label": "first"}
    mine = {"fact": "likes chess"}
    book.store.put(("memories", joke_thread), "fact", mine, confirm=True)
    try:
        assert not [name for name in book.store.namespaces() if "forkbook" in name]
        assert not [item for item in book.store.items() if "forkbook" in item.namespace]
        newest = [item.value for item in book.store.items(limit=1)]
        history.label(1, "second")
        assert [item.value for item in book.store.items(limit=1)] == newest
        assert [item.value for item in book.store.about(joke_thread)] == [mine]
        shown = book.store.items_df(("forkbook", joke_thread))
        assert sorted(value["label"] for value in shown["value"]) == ["first", "second"]
        assert ("forkbook", joke_thread) in book.store.namespaces("forkbook")
        with book.store.recording() as recording:
            history.label(2, "third")
        assert not recording.diff.changes
        assert client.threads.get(joke_thread)["metadata"].keys().isdisjoint({"forkbook", "labels"})
    finally:
        book.store.delete(("memories", joke_thread), "fact", confirm=True)
        for position in range(3):
            history.label(position, "")


def test_a_store_with_an_index_does_not_index_them():
    asked = []

    def embed(texts):
        asked.extend(texts)
        return [[1.0, 0.0] for _ in texts]

    store = InMemoryStore(index={"dims": 2, "embed": embed})
    graph = in_memory(store)
    store.put(("memories", "123"), "a", {"fact": "likes tea"})
    asked.clear()
    with fb.connect(graph) as book:
        book[JOKE].label(0, "good one", note="likes tea")
        assert asked == []
        assert [item.value for item in book.store.items(query="tea", limit=1)] == [{"fact": "likes tea"}]


def test_a_copy_by_a_sweep_takes_its_labels_along_when_it_is_deleted():
    store = InMemoryStore()
    graph = in_memory(store)
    with fb.connect(graph) as book:
        sweep = book[JOKE][2].sweep([{"topic": "tea"}], parallel=True)
        (history,) = sweep.histories
        history.label(0, "in a copy")
        book[JOKE].label(0, "stays")
        assert labels_of(book.backend, history.thread_id)
        assert sweep.delete() == 1
        assert not labels_of(book.backend, history.thread_id)
        assert [found.label for found in book[JOKE].labels.values()] == ["stays"]
        assert [item.namespace for item in store.search(("forkbook",))] == [("forkbook", JOKE)]


@pytest.fixture
def history():
    with fb.connect(in_memory()) as book:
        yield book[JOKE]


def test_ids_letters_and_pieces_of_ids_win_over_labels(history):
    tip, piece = history["B"], history[1].id[-6:]
    for taken in ("A", "B", piece, history[1].id):
        with pytest.raises(fb.InvalidInput, match=r"names (a branch|checkpoint \w{6}) of thread"):
            history.label(0, taken)
    history.label(0, "C")
    assert history["C"] == history[0]
    history[2].fork({"topic": "tea"})
    grown = history.refreshed()
    assert grown["C"] == grown.tips[2]
    assert grown.labels[history[0].id].label == "C"
    assert grown["B"] == tip


def test_what_is_not_found_says_which_labels_there_are(history):
    with pytest.raises(fb.CheckpointNotFound) as plain:
        history["nothing like it"]
    assert "labels" not in str(plain.value)
    history.label(0, "good one")
    history.label(3, "good one")
    history.label(4, "other")
    with pytest.raises(fb.CheckpointNotFound, match=r"its labels are 'good one', 'other'$"):
        history["nothing like it"]
    with pytest.raises(fb.CheckpointNotFound, match=r"no branch 'q'.*; its labels are 'good one', 'other'; a piece"):
        history["q"]
    with pytest.raises(fb.CheckpointNotFound, match="2 have this label") as several:
        history["good one"]
    assert several.value.candidates == (history[0].id, history[3].id)
    newest = history.book.history(JOKE, limit=2)
    with pytest.raises(fb.CheckpointNotFound, match="not read here"):
        history.label(1, "older") and newest["older"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"label": 5}, "a label is text"),
        ({"label": "x" * 201}, "at most 200"),
        ({"label": "two\nlines"}, "one line"),
        ({"note": "\ud800"}, "surrogates"),
        ({"note": "\0"}, "NUL"),
        ({"star": "yes"}, "True, False, or None"),
    ],
)
def test_what_can_be_no_label_is_refused(history, given, says):
    with pytest.raises(fb.InvalidInput, match=says):
        history.label(0, **given)
    assert history.labels == {}


def test_a_label_of_blanks_is_none(history):
    assert history.label(0, "  good  ") == Label("good")
    assert history.label(0, "  ", note=" \n ") == Label()


def test_what_is_in_a_closed_book_stays_known(history):
    history.label(0, "good one")
    assert history.labels
    other = history.refreshed()
    history.book.close()
    assert history["good one"] == history[0]
    assert history.checkpoints_df().label.tolist()[0] == "good one"
    assert other.checkpoints_df().label.isna().all()
    with pytest.raises(fb.BookClosed):
        other.labels  # noqa: B018  # it asks the place
    with pytest.raises(fb.CheckpointNotFound, match=r"its labels could not be read \(this book on .* is closed"):
        other["good one"]
    with pytest.raises(fb.BookClosed):
        history.label(1, "more")


def test_two_checkpointers_in_memory_do_not_share_them():
    books = [fb.connect(in_memory()) for _ in range(2)]
    first, second = (book[JOKE] for book in books)
    first.label(0, "only here")
    assert labels_of(books[0].backend, JOKE)
    assert not labels_of(books[1].backend, JOKE)
    assert not second.refresh().labels


@pytest.mark.parametrize("thread_id", ["a.b", "*", "%", "..", "a" * 300])
def test_any_thread_id_will_do(thread_id):
    graph = builder.compile(checkpointer=InMemorySaver(), store=InMemoryStore())
    for each in (thread_id, "a%2Eb"):
        graph.invoke({}, {"configurable": {"thread_id": each, "user_id": "1"}})
    with fb.connect(graph) as book:
        book[thread_id].label(0, "x")
        assert [label.label for label in book[thread_id].labels.values()] == ["x"]
        assert book["a%2Eb"].labels == {}


# Files


@pytest.fixture
def archive(tmp_path, history):
    history.book.export(tmp_path / "study.forkbook")
    return tmp_path / "study.forkbook"


def test_the_file_beside_an_archive_is_for_its_owner_and_readable(archive, tmp_path):
    with fb.connect(archive) as book:
        book[JOKE].label(0, "good one", star=True)
        id_ = book[JOKE][0].id
    beside = tmp_path / "study.forkbook.labels.json"
    assert stat.S_IMODE(beside.stat().st_mode) == 0o600
    said = json.loads(beside.read_text())
    assert said["threads"] == {JOKE: {id_: {"label": "good one", "star": True}}}
    assert said["place"] == "study.forkbook"
    link = tmp_path / "link.forkbook"
    link.symlink_to(archive)
    with fb.connect(link) as book:
        assert book[JOKE]["good one"].position == 0


def test_a_place_without_a_file_has_them_in_the_users_data_folder(tmp_path, data_folder):
    from held import Memory, conversation

    book = fb.connect(Memory({"t": conversation("t", 4)}))
    book["t"].label(0, "x")
    assert stat.S_IMODE(data_folder.stat().st_mode) == 0o700
    (file,) = data_folder.iterdir()
    assert json.loads(file.read_text())["place"] == "here"
    assert book["t"].labels


@pytest.mark.outside
@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no users here")
def test_in_a_folder_of_somebody_else_they_go_to_the_users_data_folder(archive, tmp_path, data_folder, monkeypatch):
    """As another user than root, who may write anywhere."""
    with fb.connect(archive) as book:
        book[JOKE].label(0, "of the owner")
        book[JOKE].label(1, "also")
    program = f"""
import os
import forkbook as fb
with fb.connect({str(archive)!r}) as book:
    history = book[{JOKE!r}]
    history.label(2, "to have all modules")
    history.label(2, "")
    if os.geteuid() == 0:
        os.setgid(65534), os.setuid(65534)
    else:
        os.chmod({str(tmp_path)!r}, 0o555)
    history.label(0, "mine")
    history.label(1, "")
    print(*[label.label for label in history.refresh().labels.values()])
"""
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    if os.geteuid() == 0:
        os.chown(tmp_path / "data", 65534, 65534)
        for folder in (tmp_path, *tmp_path.parents[: len(tmp_path.parents) - 2]):
            folder.chmod(folder.stat().st_mode | 0o055)
        archive.chmod(0o644)
        (tmp_path / "study.forkbook.labels.json").chmod(0o644)
    try:
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert (done.stdout, done.stderr) == ("mine\n", "")
    finally:
        tmp_path.chmod(0o755)
    assert len(list(data_folder.iterdir())) == 1
    with fb.connect(archive) as book:
        assert [label.label for label in labels_of(book.backend, JOKE).values()] == ["mine"]
        book[JOKE].label(0, "of the owner again")
        assert [label.label for label in labels_of(book.backend, JOKE).values()] == ["of the owner again"]


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"threads": 5}', "[" * 100_000, "\ud800".encode("utf-8", "surrogatepass")]
)
def test_another_file_of_that_name_is_told_and_stays(archive, tmp_path, content):
    beside = tmp_path / "study.forkbook.labels.json"
    content = content if isinstance(content, bytes) else content.encode()
    beside.write_bytes(content)
    with fb.connect(archive) as book:
        history = book[JOKE]
        for ask in (lambda: history.labels, lambda: history.label(0, "x")):
            with pytest.raises(fb.SourceError, match=r"study\.forkbook\.labels\.json, but that is"):
                ask()
        assert history.checkpoints_df().label.isna().all()
    assert beside.read_bytes() == content


def test_odd_entries_of_a_file_are_passed_over(archive, tmp_path):
    with fb.connect(archive) as book:
        book[JOKE].label(0, "x")
        id_ = book[JOKE][0].id
    beside = tmp_path / "study.forkbook.labels.json"
    said = json.loads(beside.read_text())
    said["threads"] = {JOKE: {id_: {"label": 5, "note": "n", "star": "yes"}, "b": 7}, "other": [1]}
    beside.write_text(json.dumps(said))
    with fb.connect(archive) as book:
        assert book[JOKE].labels == {id_: Label(note="n")}


def test_a_pipe_of_that_name_is_not_waited_for(archive, tmp_path):
    os.mkfifo(tmp_path / "study.forkbook.labels.json")
    with fb.connect(archive) as book, pytest.raises(fb.SourceError, match="a pipe, not a file"):
        book[JOKE].labels  # noqa: B018  # it asks the place


def test_writers_at_the_same_time_keep_each_others_labels(archive):
    def write(number):
        with fb.connect(archive) as book:
            for _ in range(5):
                book[JOKE].label(number, f"label {number}")

    threads = [threading.Thread(target=write, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with fb.connect(archive) as book:
        assert [label.label for label in book[JOKE].labels.values()] == [f"label {number}" for number in range(6)]


def test_labels_that_a_server_wrote_into_a_sqlite_file_are_read_there(tmp_path):
    from langgraph.store.sqlite import SqliteStore

    path = tmp_path / "x.db"
    with SqliteSaver.from_conn_string(str(path)) as saver:
        connection = sqlite3.connect(path, isolation_level=None)
        store = SqliteStore(connection)
        store.setup()
        graph = builder.compile(checkpointer=saver, store=store)
        seed(graph)
        with fb.connect(graph) as book:
            book[JOKE].label(0, "by the graph")
            book[JOKE].label(1, "also")
        connection.close()
    assert files(tmp_path) == []
    with fb.connect(path) as book:
        history = book[JOKE]
        assert [label.label for label in history.labels.values()] == ["by the graph", "also"]
        history.label(0, "by hand")
        history.label(1, "")
    assert files(tmp_path) == ["x.db.labels.json"]
    with fb.connect(path) as book:
        assert [label.label for label in book[JOKE].labels.values()] == ["by hand"]


# Rights


@pytest.mark.outside
def test_who_may_not_write_to_a_servers_store_has_them_in_a_file(tmp_path, data_folder):
    with tenants_server() as url:
        for user, has_file in (("ada", False), ("bob.no-memory", True), ("eve.no-writing", True)):
            headers = {"authorization": f"Bearer {user}"}
            client = get_sync_client(url=url, api_key=None, headers=headers)
            thread_id = client.threads.create()["thread_id"]
            client.runs.wait(thread_id, "agent", input={})
            with fb.connect(url, headers=headers) as book:
                book[thread_id].label(0, f"of {user}", note="n")
            with fb.connect(url, headers=headers) as book:
                assert book[thread_id][f"of {user}"].position == 0
                assert not has_file or data_folder.is_dir()
                assert has_file or book.store.namespaces() == []
            assert len(files(tmp_path)) == has_file
            data_folder.is_dir() and shutil.rmtree(data_folder)
