import pytest
from shapes import facts_of, state

INTERRUPT = {"id": "i", "value": "ok?"}


@pytest.mark.parametrize(
    ("following", "tasks", "status"),
    [
        ([], [], "finished"),
        (["n"], [{"name": "n"}], "pending"),
        (["n"], [{"name": "n", "interrupts": [INTERRUPT]}], "waiting"),
        (["n"], [{"name": "n", "interrupts": [INTERRUPT], "result": {}}], "pending"),
        (["n"], [{"name": "n", "error": "ValueError('x')"}], "error"),
        (None, [], "unknown"),
    ],
)
def test_status_of_a_tip(following, tasks, status):
    assert facts_of(state("1", next=following, tasks=tasks)).status(0) == status


def test_seconds_are_those_of_nodes_not_of_people():
    facts = facts_of(
        state("1", source="input", second=0),
        state("2", "1", second=1),
        state("3", "2", second=3, tasks=[{"name": "ask", "interrupts": [INTERRUPT]}]),
        state("4", "3", second=50),
        state("5", "4", second=52),
        state("6", "4", second=58, source="update"),
        state("7", "6", second=59),
        state("8", "5", second=55, source="input"),
    )
    assert [facts.seconds(p) for p in range(8)] == [None, None, 2.0, None, 2.0, None, None, None]


def test_title_says_what_made_a_checkpoint():
    facts = facts_of(
        state("1", values={}, source="input", tasks=[{"name": "__start__"}]),
        state("2", "1", {"topic": "cats"}, tasks=[{"name": "a"}, {"name": "b"}, {"name": "b"}]),
        state("3", "2", {"topic": "cats"}),
        state("4", "2", {"topic": "dogs", "notes": [1]}, source="update"),
        state("5", "2", {"topic": "cats"}, source="fork"),
        state("6", "5", {}, source="update"),
        state("7", "9", {}, step=4),
    )
    titles = ["input", "__start__", "a, b", "edit notes, topic=dogs", "replay", "edit topic", "step 4"]
    assert [facts.title(p) for p in range(7)] == titles


def test_a_title_needs_no_tasks_where_it_is_known_what_runs_next():
    ran = state("1", values={}, source="input", next=["a", "b"]) | {"tasks": None}
    assert facts_of(ran, state("2", "1", {})).title(1) == "a, b"
