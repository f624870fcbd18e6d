"""The panel of a run that goes on: text grows, nodes are named, Stop stops; foreign text stays text."""

import threading

import pytest
from agents import graphs
from langgraph.checkpoint.memory import InMemorySaver

import forkbook as fb
from forkbook.backends.events import Event
from forkbook.widgets.live_panel import TEXT_SHOWN, LivePanel, saying


@pytest.fixture
def book():
    return fb.connect(graphs.build_talker(graphs.atalk).compile(checkpointer=InMemorySaver(), name="talker"))


@pytest.fixture
def shown():
    """A panel, and what it showed: the line above, and what is said."""
    panel, lines, said = LivePanel(), [], []
    panel._line.observe(lambda change: lines.append(change["new"]), "value")
    panel._said.observe(lambda change: said.append(change["new"]), "value")
    return panel, lines, said


def test_the_text_grows_and_the_tree_with_it(book, shown):
    panel, lines, said = shown
    states = []
    assert panel.layout.display == "none"
    act = panel.watch(fb.Running(book.run, None, {"topic": "<b>cats"}), states.extend)
    assert act.status == "finished"
    assert [state["checkpoint"]["checkpoint_id"] for state in states] == [cp.id for cp in act.history]
    assert any(line.startswith("running talk") for line in lines)
    texts = [value for value in said if value]
    assert len(texts) > 3
    assert sorted(map(len, texts)) == list(map(len, texts)), "it only grows"
    assert "all there is to say about &lt;b&gt;cats" in texts[-1]
    assert len(texts) <= 10 * panel.running.seconds + 2, "ten times a second at most"
    assert panel.layout.display == "none"
    assert panel.stop.disabled


def test_stop_stops(book, shown):
    panel, _, _ = shown
    running = fb.Running(book.run, None, {"topic": "cats " * 50})
    acts = []
    watching = threading.Thread(target=lambda: acts.append(panel.watch(running)))
    watching.start()
    next(event for event in running if event.kind == "tokens")
    panel.stop.click()
    watching.join(20)
    assert acts[0].checkpoint.next == ("talk",)
    assert panel.stop.disabled


def test_an_act_that_is_refused_is_raised_and_the_panel_gone(book, shown):
    panel, _, _ = shown
    with pytest.raises(fb.Refused, match="no channel 'x'"):
        panel.watch(fb.Running(book.run, None, {"x": 1}))
    assert panel.layout.display == "none"


def test_of_a_long_message_the_newest_part_is_shown_and_says_so():
    text = "<" * 10 + "§" * TEXT_SHOWN
    html = saying(Event("tokens", "t", "r", role="ai<", node="<n", text=text))
    assert "10 characters before" in html
    assert html.count("§") == TEXT_SHOWN
    assert "ai&lt; · &lt;n" in html
