"""The tree as an SVG picture: well-formed whatever is in it, of bounded size, and in HTML that needs no program."""

import base64
import re
from xml.etree import ElementTree

import pytest
from held import state_of
from langgraph.checkpoint.memory import InMemorySaver
from seeding import compiled, seed

import forkbook as fb
from forkbook.demo.seed import THREADS
from forkbook.face.document import Document
from forkbook.face.order import fold
from forkbook.face.still_rows import Gap, still_rows
from forkbook.face.svg import svg
from forkbook.face.text_width import fitted, width_of
from forkbook.facts import Facts
from forkbook.model.label import Label

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "<script>alert(1)</script>",
    "]]></text><script>alert(1)</script>",
    "&amp; & <b onload=x> \"'$",
    "\x00\x08\x1b\ud800\ufffe\uffff\u202e",
    "<!ENTITY x SYSTEM 'file:///etc/passwd'>&x;",
    "</style><style>*{display:none}",
]


def thread(shape, **more):
    """Facts of a thread whose n-th checkpoint has the n-th of these parents; -1 is a root."""
    states = {}
    for number, parent in enumerate(shape):
        text = more.get("text", "text {}").format(number)
        state = state_of(number, {"topic": text}, next=[] if number not in shape else ["node"])
        state["parent_checkpoint"] = {"checkpoint_id": f"{parent:08x}", "checkpoint_ns": ""} if parent >= 0 else None
        if number in more.get("failed", ()):
            state["tasks"] = [{"id": "x", "name": "node", "error": "Broken()"}]
        states[f"{number:08x}"] = state
    return Facts.of("t", states)


@pytest.fixture(scope="module")
def book():
    graph = compiled(InMemorySaver())
    seed(graph)
    with fb.connect(graph) as opened:
        yield opened


def texts(picture):
    return ["".join(each.itertext()) for each in ElementTree.fromstring(picture).iter(f"{SVG}text")]


def test_it_says_what_was_said_who_did_it_and_which_branch_ends(book):
    history = book[THREADS["time travel"]]
    picture = history.svg()
    first = [history.summary(), "start", "start", 'topic = "cats", log', "generate_topic"]
    assert texts(picture)[:5] == first
    assert {"A", "B", "write_joke · 21 tokens", "end of a branch"} <= set(texts(picture))
    root = ElementTree.fromstring(picture)
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == history.summary()
    assert "6 checkpoints in 5 rows" in root.find(f"{SVG}desc").text


def test_failed_and_waiting_ones_have_signs_and_words(book):
    assert "failed" in texts(book[THREADS["trouble"]].svg())
    waiting = texts(book[THREADS["approval"]].svg())
    assert {"?", "waits for an answer"} <= set(waiting)


def test_labels_and_stars_stand_in_it(book):
    history = book[THREADS["memory"]]
    history.label(2, "good <one>", star=True)
    assert any(text.startswith("★good <one>") for text in texts(history.svg()))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_whatever_is_in_it_it_is_well_formed_and_runs_nothing(hostile):
    facts = thread([-1, 0, 1], text=hostile.replace("{", "{{").replace("}", "}}"))
    labels = {head.id: Label(hostile.replace("\x00", "")) for head in facts.tree.heads}
    root = ElementTree.fromstring(svg(facts, labels).encode())
    names = {each.tag.removeprefix(SVG) for each in root.iter()}
    assert names <= {"svg", "title", "desc", "style", "rect", "path", "circle", "text", "tspan"}
    assert not [name for each in root.iter() for name in each.attrib if name.startswith("on") or "href" in name]
    assert not re.search(r"url\(|@import", root.find(f"{SVG}style").text)


def test_it_is_the_html_of_a_history_and_of_its_figure(book):
    history = book[THREADS["branches"]]
    for bundle in (history._repr_mimebundle_(), history.figure()._repr_mimebundle_()):
        html = bundle.get("text/html", "")
        data = re.fullmatch(
            r'<img alt="thread [^"<]+" style="max-width:100%" src="data:image/svg\+xml;base64,([^"]+)">'
            r"<details><summary>as text</summary><pre>([^<]+)</pre></details>",
            html,
        )
        assert base64.b64decode(data[1]).decode() == history.svg()
        assert "application/vnd.plotly.v1+json" in bundle


@pytest.fixture(autouse=True)
def as_in_a_notebook(monkeypatch):
    import plotly.io as pio

    monkeypatch.setattr(pio.renderers, "default", "plotly_mimetype")


def test_a_figure_in_another_way_is_as_plotly_has_it(book):
    import plotly.io as pio

    figure = book[THREADS["branches"]].figure()
    pio.renderers.default = "notebook_connected"
    assert "<img" not in figure._repr_mimebundle_()["text/html"]


def test_an_empty_history_is_a_picture_that_says_so():
    assert "no checkpoints" in texts(svg(Facts.of("t", {})))


# What there is no room for


def rows_of(facts, **more):
    document = Document(facts)
    folded = fold(document.order, document.kinds, document.all_flags)
    return still_rows(folded, document.all_flags, **more), document


def test_a_long_line_is_folded():
    picture = svg(thread(range(-1, 1999)))
    assert "1,995 steps" in texts(picture)
    assert len(picture) < 10_000


def test_of_many_rows_the_ends_and_what_failed_are_shown():
    shape = [-1, 0] + [1 if number % 2 == 0 else 2 + number - 1 for number in range(600)]
    facts = thread(shape, failed=[301])
    rows, document = rows_of(facts)
    assert len(rows) <= 60
    assert document.order.rows[0] == rows[0]
    assert document.order.rows[-1] == rows[-1]
    assert 301 in rows
    gaps = [row for row in rows if isinstance(row, Gap)]
    covered = [at for row in rows for at in ([row] if isinstance(row, int) else row.positions)]
    assert len(covered) == len(set(covered))
    assert re.fullmatch(r"\d+ checkpoints, \d+ branches", gaps[0].text)
    assert len(svg(facts)) < 30_000


def test_what_is_chosen_is_always_shown():
    shape = [-1, 0] + [1 if number % 2 == 0 else 2 + number - 1 for number in range(600)]
    facts = thread(shape, failed=range(100, 500, 3))
    rows, _ = rows_of(facts, keep={250})
    assert 250 in rows
    assert 'class="c"' in svg(facts, selected=250)
    assert 'class="c"' not in svg(facts)


def test_text_that_has_no_room_is_cut():
    assert fitted("short", 100) == "short"
    cut = fitted("m" * 200, 100)
    assert cut.endswith("…")
    assert width_of(cut) <= 100
    assert width_of("\u4f60\u597d") > width_of("ab")
    assert width_of("e\u0301") == width_of("e")
