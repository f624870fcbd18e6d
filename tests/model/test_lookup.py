"""A thread found by its id as it is shown, or by its end."""

import uuid

import pytest
from commands import document, run
from held import Memory, conversation
from proxy import proxy

import forkbook as fb
from forkbook.errors import ThreadNotFound
from forkbook.model.lookup import is_piece
from forkbook.transfer.export import export

BRANCHES = "5868deb3-45e8-5a33-8463-371a0092cf84"
IDS = (BRANCHES, "5868deb3-45e8-5a33-8463-371a0092ff84", "study-Ada", "study-Bob", "f84", "user.1...end")


@pytest.fixture
def held(tmp_path):
    export(tmp_path / "x.json", Memory({id_: conversation(id_, 2) for id_ in IDS}))
    return fb.connect(tmp_path / "x.json")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("5868deb3…cf84", BRANCHES),
        ("5868deb3...cf84", BRANCHES),
        ("…cf84", BRANCHES),
        ("...0092cf84", BRANCHES),
        ("cf84", BRANCHES),
        ("CF84", BRANCHES),
        ("2cf84", BRANCHES),
        ("5868deb3-45e8-5a33-8463-371a0092c…", BRANCHES),
        ("f84", "f84"),  # an exact id first
        ("-ada", "study-Ada"),
        ("stud…Bob", "study-Bob"),
        ("user.1...end", "user.1...end"),
    ],
)
def test_an_id_as_it_is_shown(held, given, found):
    assert held[given].thread_id == found
    assert len(held.tree(given)) == 2


def test_it_is_shown_so(book, demo_threads):
    history = book[demo_threads["branches"]]
    shown = history.summary().split(" · ")[0].removeprefix("thread ")
    assert book[shown].thread_id == history.thread_id
    assert book.history(shown, subgraphs=True).thread_id == history.thread_id


@pytest.mark.parametrize(
    ("given", "candidates"), [("58…", ()), ("5868…", IDS[:2]), ("study-…", IDS[2:4]), ("0092", ())]
)
def test_what_is_not_unique_or_not_there(held, given, candidates):
    with pytest.raises(ThreadNotFound) as caught:
        held[given]
    assert caught.value.candidates == candidates
    assert all(id_ in str(caught.value) for id_ in candidates)
    assert caught.value.thread_id == given


def test_near_ones_are_named(held):
    with pytest.raises(ThreadNotFound, match="near it: study-Ada") as caught:
        held["study-Adam"]
    assert caught.value.candidates[0] == "study-Ada"


@pytest.mark.parametrize("given", ["f8", "…", "...", "f…4", "xyz", "1c2f0f0e-7a44-4a3c-9d3e-5a8f1b6c7d20"])
def test_a_short_text_and_a_whole_uuid_are_no_piece(held, given):
    assert not is_piece(given)
    with pytest.raises(ThreadNotFound) as caught:
        held[given]
    assert caught.value.candidates == ()


def test_a_copy_its_copies_and_sweeps_are_found_too(book, demo_threads):
    id_ = demo_threads["branches"]
    report = book.copy(f"{id_[:8]}…{id_[-4:]}")
    try:
        assert bool(report)
        assert report.new_thread_id in set(book.copies(id_[-6:]).thread_id)
        assert book.sweeps(report.new_thread_id[-6:]) == []  # nobody else sweeps there
        lineage = book.copy(id_[-6:], checkpoint=book[id_][0])
        book.backend.delete(lineage.new_thread_id)
    finally:
        book.backend.delete(report.new_thread_id)


def test_a_run_takes_no_piece(book, demo_threads):
    with pytest.raises(ThreadNotFound):
        book.run(demo_threads["branches"][-6:], {"topic": "x"})


def test_a_server_is_listed_once_and_only_for_a_piece(demo_url, demo_threads):
    id_ = demo_threads["branches"]
    with proxy(demo_url) as (url, seen), fb.connect(url) as book:
        seen.clear()
        book[id_]
        with pytest.raises(ThreadNotFound):
            book[str(uuid.uuid4())]
        assert not [path for _, path, _ in seen if path.endswith("/search")]
        book[id_[-6:]]
        assert len([path for _, path, _ in seen if path.endswith("/search")]) <= 2  # a page, and an empty one


def test_the_command_line_takes_it(demo_url, demo_threads, tmp_path):
    id_ = demo_threads["branches"]
    code, said = document("show", demo_url, f"{id_[:8]}...{id_[-4:]}")
    assert (code, said["thread_id"]) == (0, id_)
    assert document("diff", demo_url, id_[-6:], "A", "B")[1]["thread_id"] == id_
    assert document("report", demo_url, id_[-6:], "-o", tmp_path / "x.html")[1]["thread_id"] == id_
    code, _, err = run("show", demo_url, "xyzw")
    assert (code, "no thread 'xyzw'" in err) == (2, True)
