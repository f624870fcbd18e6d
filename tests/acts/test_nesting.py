"""Subgraphs in one tree with the checkpoints whose tasks ran them: read from every place, picked, edited, answered."""

import operator
import re
import sqlite3
import time
import uuid
from typing import Annotated, Any, TypedDict

import pytest
from agents.graphs import build_fanout, build_helped, build_nested, build_team, build_topical
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph
from proxy import proxy

import forkbook as fb
from forkbook.errors import CheckpointNotFound, InvalidInput, Refused
from forkbook.widgets.codes_of_acts import act_blocks

BUILDERS = {
    "nested": build_nested,
    "fanout": build_fanout,
    "team": build_team,
    "helped": build_helped,
    "topical": build_topical,
}


@pytest.fixture(params=["graph", pytest.param("server", marks=pytest.mark.outside)])
def begun(request):
    """A function that runs a graph in a new thread; gives the book and the thread's id."""
    books = []

    def begin(name, input):
        if request.param == "graph":
            book = fb.connect(BUILDERS[name]().compile(checkpointer=InMemorySaver(), name=name))
        else:
            book = fb.connect(request.getfixturevalue("testbed"))
        books.append(book)
        return book, start(book, name, input)

    yield begin
    for book in books:
        book.close()


def start(book, name, input):
    thread_id = str(uuid.uuid4())
    if book.backend.assistant:
        book.backend._graph.invoke(input, {"configurable": {"thread_id": thread_id}})
    else:
        book.backend._client.threads.create(thread_id=thread_id, graph_id=name)
        book.backend._client.runs.wait(thread_id, name, input=input)
    return thread_id


def drawn(history):
    """The tree in ids that tell each checkpoint by its order: parent, host, namespace's nodes, step, next, branch."""
    tree = history.tree
    return [
        (
            tree.parents[cp.position],
            tree.inside[cp.position],
            [part.partition(":")[0] for part in cp.namespace.split("|")],
            cp.step,
            cp.next,
            cp.branch,
        )
        for cp in history
    ]


WAITING = [
    (-1, -1, [""], -1, ("__start__",), "A"),
    (0, -1, [""], 0, ("outer",), "A"),
    (-1, 1, ["outer"], -1, ("__start__",), "A"),
    (2, 1, ["outer"], 0, ("inner",), "A"),
    (-1, 3, ["outer", "inner"], -1, ("__start__",), "A"),
    (4, 3, ["outer", "inner"], 0, ("prepare",), "A"),
    (5, 3, ["outer", "inner"], 1, ("ask",), "A"),
]


def test_each_level_stands_inside_the_checkpoint_whose_task_ran_it(begun):
    book, thread_id = begun("nested", {"answers": ["x"]})
    history = book.history(thread_id, subgraphs=True)
    assert drawn(history) == WAITING
    assert history.summary().endswith("2 checkpoints and 5 inside 2 subgraphs · 1 branch · complete")
    assert (history.branches, [cp.position for cp in history.tips], len(history.roots)) == (["A"], [1], 1)
    asking = history[6]
    assert [item["value"] for item in asking.waiting_for] == ["deep?"]
    assert (asking.inside, asking.inside.inside, asking.inside.inside.inside) == (history[3], history[1], None)
    assert (asking.task["name"], asking.inside.task["name"], history[1].task) == ("inner", "outer", None)
    assert history[1].subgraphs == {history[2].namespace: [history[2], history[3]]}
    assert history[asking.short_id] == history[asking.id] == asking
    assert history.at(step=0).position == 1
    assert history.at(step=0, ns=asking.namespace).position == 5
    assert history.at(branch="A", ns=asking.namespace) == asking
    assert "in outer › inner" in repr(asking)


def test_an_old_question_inside_says_where_it_can_be_answered_again(begun):
    book, thread_id = begun("nested", {"answers": ["x"]})
    book.history(thread_id, subgraphs=True)[6].answer("yes")
    history = book.history(thread_id, subgraphs=True)
    root = history[1]
    says = rf"root checkpoint that asked can be answered, history\['{root.short_id}'\].answer\('…'\), or forked"
    for old in (cp for cp in history if cp.namespace and cp.next):
        with pytest.raises(Refused, match=says):
            old.answer("no")
    act = history[root.short_id].answer("no")
    assert (told(act.checkpoint.values)[-2:], act.checkpoint.branch) == (["ask=no", "end"], "B")


def test_what_a_task_runs_unseen_is_found(begun):
    """LangGraph names no subgraph that a tool runs, or an object."""
    book, thread_id = begun("helped", {"messages": [{"type": "human", "id": "q", "content": "hi"}]})
    history = book.history(thread_id, subgraphs=True)
    assert [cp.step for cp in history if cp.namespace] == [-1, 0, 1]
    assert {cp.inside for cp in history if cp.namespace} == {history.at(step=0)}
    assert history.checkpoints_df().spent_tokens.sum() == 11 + 101
    assert len(book.history(thread_id)) == 4


def test_one_message_is_one_whatever_form_a_server_sends_it_in(begun):
    """Of a DeltaChannel a server sends usage here and there, in `additional_kwargs` where it was JSON once more."""
    book, thread_id = begun("helped", {"messages": [{"type": "human", "id": "q", "content": "hi"}]})
    history = book.history(thread_id)
    history.at(step=1).edit({"messages": [{"type": "human", "id": "q", "content": "ho"}]}, as_node="help")
    frame = book.history(thread_id).messages_df()
    assert list(frame.text) == ["hi", "thought", "done", "ho"]
    assert list(frame.branches) == [["A"], ["A", "B"], ["A"], ["B"]]
    a, b = (book.history(thread_id)[tip.id] for tip in book.history(thread_id).tips)
    assert all(
        message["usage_metadata"] for cp in (a, b) for message in cp.values["messages"] if message["type"] == "ai"
    )


def test_stores_and_archives_tell_the_same_tree(tmp_path):
    path, archive = tmp_path / "store.sqlite", tmp_path / "study.forkbook"
    saver = SqliteSaver(sqlite3.connect(path, check_same_thread=False))
    book = fb.connect(build_nested().compile(checkpointer=saver))
    thread_id = start(book, "nested", {"answers": ["x"]})
    book.history(thread_id, subgraphs=True)[6].answer("yes")
    history = book.history(thread_id, subgraphs=True)
    book.export(archive)
    saver.conn.close()
    assert len(history) == 11
    for place in (path, archive):
        with fb.connect(place) as other:
            assert drawn(other.history(thread_id, subgraphs=True)) == drawn(history)
            assert len(other.history(thread_id)) == 4


def test_subgraphs_on_a_server_are_read_side_by_side(testbed):
    under_way, most = set(), [0]

    def slow(method, path, body):
        if path.endswith("/history"):
            under_way.add(me := object())
            most[0] = max(most[0], len(under_way))
            time.sleep(0.05)
            under_way.remove(me)

    with fb.connect(testbed) as book, proxy(testbed, slow) as (url, _), fb.connect(url) as far:
        thread_id = start(book, "nested", {"answers": []})
        for _ in range(4):
            book.run(thread_id, {"answers": []})
        near = book.history(thread_id, subgraphs=True)
        assert drawn(far.history(thread_id, subgraphs=True)) == drawn(near)
        assert len(near.tree.numbers) > 10, "namespaces"
        assert most[0] > 3


def test_what_was_read_without_subgraphs_says_how_to_read_them(begun):
    book, thread_id = begun("nested", {"answers": ["x"]})
    history = book.history(thread_id)
    assert len(history) == 2
    assert history[1].subgraphs == {}
    with pytest.raises(InvalidInput, match="subgraphs=True"):
        history.at(step=0, ns="outer:1")


def told(values):
    return values["answers"]


def test_an_answer_given_inside_a_subgraph_goes_to_the_root_graph(begun):
    book, thread_id = begun("nested", {"answers": ["x"]})
    act = book.history(thread_id, subgraphs=True)[6].answer("yes")
    assert (act.status, act.checkpoint.namespace, act.checkpoint.is_tip) == ("finished", "", True)
    assert told(act.checkpoint.values) == ["x", "x", "x", "prepared", "ask=yes", "end"]
    assert act.history.subgraphs
    assert len(act.history) == 11


def test_the_answer_of_a_parallel_task_is_told_apart_by_its_question(begun):
    book, thread_id = begun("team", {"items": ["a", "b"], "ask": True})
    asking = book.history(thread_id, subgraphs=True)[-1]
    assert sorted(item["value"] for item in asking.waiting_for) == ["a?", "b?"]
    with pytest.raises(Refused, match="asks 2 questions"):
        asking.answer("yes")
    act = asking.answer(by_id={item["id"]: item["value"].upper() for item in asking.waiting_for})
    assert told(act.checkpoint.values) == ["a=A?", "b=B?", "joined"]


@pytest.mark.parametrize("where", [5, 6], ids=["before prepare", "at the question"])
def test_a_waiting_subgraph_is_edited_and_the_graph_goes_on_from_the_edit(begun, where):
    book, thread_id = begun("nested", {"answers": ["x"]})
    cp = book.history(thread_id, subgraphs=True)[where]
    tried = cp.preview({"answers": ["edited"]})
    assert (told(tried.values)[-1], tried.next) == ("edited", cp.next)
    assert len(book.history(thread_id, subgraphs=True)) == 7
    act = cp.edit({"answers": ["edited"]})
    assert (act.checkpoint.parent.id, act.checkpoint.namespace) == (cp.id, cp.namespace)
    assert act.checkpoint.inside.inside.id == act.history.tips[0].id
    asked = act.checkpoint.answer("yes")
    assert asked.status == "finished"
    said = told(asked.checkpoint.values)
    assert said == [
        "x",
        "x",
        "x",
        *(["edited", "prepared"] if where == 5 else ["prepared", "edited"]),
        "ask=yes",
        "end",
    ]


def test_the_roots_own_answer_reaches_a_subgraph_that_was_edited(begun):
    book, thread_id = begun("nested", {"answers": ["x"]})
    book.history(thread_id, subgraphs=True)[6].edit({"answers": ["edited"]})
    act = book.history(thread_id).tips[0].answer("yes")
    assert told(act.checkpoint.values) == ["x", "x", "x", "prepared", "edited", "ask=yes", "end"]


@pytest.mark.parametrize("form", ["plain", "by id", "inside", "in a copy", "mapping"])
def test_an_answer_arrives_though_an_edit_changed_the_question(begun, form):
    book, thread_id = begun("topical", {"topic": "cats"})
    history = book.history(thread_id, subgraphs=True)
    root, inner = history[1], history[-1]
    edit = inner.edit({"topic": "dogs"}).checkpoint
    old = root.waiting_for[0]
    act = {
        "plain": lambda: book.history(thread_id).tips[0].answer("yes"),
        "by id": lambda: book.history(thread_id).tips[0].answer(by_id={old["id"]: "yes"}),
        "inside": lambda: edit.answer("yes"),
        "in a copy": lambda: root.answer("yes", in_copy=True),
        "mapping": lambda: root.answer({"0" * 32: "yes"}),
    }[form]()
    said = "{'" + "0" * 32 + "': 'yes'}" if form == "mapping" else "yes"
    assert (act.status, [item["value"] for item in act.checkpoint.waiting_for]) == ("waiting", ["again?"])
    assert any("run to ask anew" in note for note in act.notes)
    done = act.checkpoint.answer("no")
    assert told(done.checkpoint.values) == [f"dogs={said}", "again=no", "end"]
    assert not any("run to ask anew" in note for note in done.notes), "nothing was edited since"


def test_an_edit_that_leaves_nothing_to_ask_takes_no_answer(begun):
    book, thread_id = begun("nested", {"answers": ["x"]})
    book.history(thread_id, subgraphs=True)[6].edit({"answers": ["instead"]}, as_node="ask")
    act = book.history(thread_id).tips[0].answer("yes")
    assert act.notes[0] == "nothing was answered: after the edit nothing is asked any more"
    assert told(act.checkpoint.values) == ["x", "x", "x", "prepared", "instead", "end"]


def test_several_answers_after_an_edit_inside_arrive_each_where_it_belongs(begun):
    for items, expected in ((["a", "q"], ["a=A", "q=B", "joined"]), (["b", "a"], ["b=B", "a=A", "joined"])):
        book, thread_id = begun("team", {"items": ["a", "b"], "ask": True})
        inner = [cp for cp in book.history(thread_id, subgraphs=True) if cp.namespace][-2]
        inner.edit({"items": items}, as_node="__start__")
        root = book.history(thread_id).tips[0]
        ids = {item["value"]: item["id"] for item in root.waiting_for}
        asked = root.answer(by_id={ids["a?"]: "A", ids["b?"]: "B"})
        assert told(asked.checkpoint.values) == expected


def test_answers_that_could_belong_to_several_new_questions_are_not_guessed(begun):
    book, thread_id = begun("team", {"items": ["a", "b"], "ask": True})
    inner = [cp for cp in book.history(thread_id, subgraphs=True) if cp.namespace][-2]
    inner.edit({"items": ["p", "q"]}, as_node="__start__")
    root = book.history(thread_id).tips[0]
    act = root.answer(by_id={item["id"]: "x" for item in root.waiting_for})
    assert act.notes[0].startswith("nothing was answered: it asks something else now")
    assert sorted(item["value"] for item in act.checkpoint.waiting_for) == ["p?", "q?"]
    done = act.checkpoint.answer(by_id={item["id"]: item["value"] for item in act.checkpoint.waiting_for})
    assert told(done.checkpoint.values) == ["p=p?", "q=q?", "joined"]


@pytest.mark.parametrize("where", [3, 5, 6], ids=["before inner", "before prepare", "at the question"])
def test_a_resume_at_the_root_does_not_lose_an_edit_inside(begun, where):
    book, thread_id = begun("nested", {"answers": ["x"]})
    edit = book.history(thread_id, subgraphs=True)[where].edit({"answers": ["edited"]}).checkpoint
    root = book.history(thread_id).tips[0]
    for in_copy in (False, True):
        with pytest.raises(Refused, match="start the subgraph over, without it") as caught:
            root.resume(in_copy=in_copy)
        assert caught.value.candidates == (edit.id,)
    assert len(book.history(thread_id, subgraphs=True)) == 8
    gone_on = book.run(thread_id)
    assert gone_on.status == "waiting"
    with pytest.raises(Refused, match="start the subgraph over, without it"):
        gone_on.checkpoint.resume()
    assert "edited" in told(gone_on.checkpoint.answer("yes").checkpoint.values)
    assert root.resume().status == "waiting", "a replay of what is not the head any more is one"


def test_a_resume_at_the_root_tells_that_the_subgraph_starts_over(begun):
    book, thread_id = begun("nested", {"answers": ["x"]})
    history = book.history(thread_id)
    assert any("the subgraph outer started over" in note for note in history[1].resume().notes)
    assert not any("started over" in note for note in history[0].resume().notes)


def began(notes):
    return [re.split("[:,]", note)[0] for note in notes]


def test_a_fork_inside_edits_and_lets_the_whole_graph_go_on(begun):
    book, thread_id = begun("nested", {"answers": ["x"]})
    act = book.history(thread_id, subgraphs=True)[6].fork({"answers": ["edited"]}, as_node="ask")
    assert (act.kind, act.status, act.checkpoint.namespace) == ("fork", "finished", "")
    assert told(act.checkpoint.values) == ["x", "x", "x", "prepared", "edited", "end"]
    assert act.history.branches == ["A"]
    assert began(act.notes)[:2] == ["the thread's head is here now", "the whole graph went on"]
    assert len(set(act.notes)) == len(act.notes)


def test_a_fork_inside_a_copy_leaves_the_thread_alone(begun):
    book, thread_id = begun("nested", {"answers": ["x"]})
    act = book.history(thread_id, subgraphs=True)[6].fork({"answers": ["edited"]}, as_node="ask", in_copy=True)
    assert act.history.thread_id != thread_id
    assert began(act.notes)[:2] == ["done in a copy", "the whole graph went on"]
    assert not any("head is here" in note for note in act.notes)
    assert told(act.checkpoint.values) == ["x", "x", "x", "prepared", "edited", "end"]
    assert drawn(book.history(thread_id, subgraphs=True)) == WAITING


def test_what_would_start_the_subgraph_over_is_refused_and_writes_nothing(begun):
    book, thread_id = begun("nested", {"answers": ["x"]})
    waiting = book.history(thread_id, subgraphs=True)
    with pytest.raises(Refused, match="newest checkpoint alone"):
        waiting[5].resume()
    with pytest.raises(Refused, match="goes to the root graph"):
        waiting[6].resume(input={"answers": ["new"]})
    with pytest.raises(Refused, match="within whose task"):
        waiting[6].sweep([None])
    with pytest.raises(Refused, match="no channel 'topic'"):
        waiting[6].edit({"topic": "cats"})
    with pytest.raises(Refused, match="no node 'end'; it has prepare, ask"):
        waiting[6].edit({"answers": ["edited"]}, as_node="end")
    assert drawn(book.history(thread_id, subgraphs=True)) == WAITING
    waiting[6].answer("yes")
    done = book.history(thread_id, subgraphs=True)
    for act in (
        lambda: done[6].preview({"answers": ["late"]}),
        lambda: done[6].edit({"answers": ["late"]}),
        lambda: done[6].fork({"answers": ["late"]}, in_copy=True),
        lambda: done[6].resume(),
        lambda: done[6].answer("late"),
    ):
        with pytest.raises(Refused, match="start the subgraph over"):
            act()
    assert drawn(book.history(thread_id, subgraphs=True)) == drawn(done)


def test_a_checkpoint_that_is_gone_is_not_made_anew(begun):
    book, thread_id = begun("nested", {"answers": ["x"]})
    cp = book.history(thread_id, subgraphs=True)[6]
    states = {id_.replace(cp.id, cp.id[:-4] + "ffff"): state for id_, state in cp.history.states.items()}
    state = states[cp.id[:-4] + "ffff"] = dict(states[cp.id[:-4] + "ffff"])
    state["checkpoint"] = state["checkpoint"] | {"checkpoint_id": cp.id[:-4] + "ffff"}
    other = fb.History(book, thread_id, states, subgraphs=True)
    with pytest.raises(CheckpointNotFound):
        other[6].edit({"answers": ["edited"]})
    assert drawn(book.history(thread_id, subgraphs=True)) == WAITING


def test_refresh_reads_what_subgraphs_wrote_since(begun):
    book, thread_id = begun("nested", {"answers": ["x"]})
    history = book.history(thread_id, subgraphs=True)
    root = history[1]
    book.history(thread_id)[1].answer("yes")
    root.resume()  # a replay: the same subgraphs again, in namespaces of their own
    fresh, whole = history.refresh(), book.history(thread_id, subgraphs=True)
    assert drawn(fresh) == drawn(whole)
    assert [cp.state for cp in fresh] == [cp.state for cp in whole]
    assert fresh.branches == book.history(thread_id).branches == ["A", "B"]
    assert fresh.refresh().subgraphs


def test_frames_join_by_namespace_and_task(begun):
    book, thread_id = begun("nested", {"answers": ["x"]})
    book.history(thread_id, subgraphs=True)[6].answer("yes")
    history = book.history(thread_id, subgraphs=True)
    checkpoints, tasks = history.checkpoints_df(), history.tasks_df()
    assert checkpoints.checkpoint_ns.nunique() == 3
    ran = checkpoints[checkpoints.inside_id.notna()].merge(
        tasks, left_on=["inside_id", "inside_task_id"], right_on=["checkpoint_id", "task_id"]
    )
    assert ran.groupby("name").size().to_dict() == {"inner": 4, "outer": 3}
    asked = tasks[tasks.interrupts.map(bool)]
    assert len(asked) >= 2
    assert asked.seconds.isna().all()  # somebody was asked in between
    assert history.branches_df().checkpoint_ns.tolist() == history.tokens_df().checkpoint_ns.tolist() == [""]
    assert history.branches_df(subgraphs=True).checkpoint_ns.nunique() == 3
    assert history.tokens_df(subgraphs=True).tip_id.tolist() == history.branches_df(subgraphs=True).tip_id.tolist()


def test_tasks_that_ran_a_subgraph_to_its_end_have_a_duration(begun):
    book, thread_id = begun("team", {"items": ["a", "b"]})
    tasks = book.history(thread_id, subgraphs=True).tasks_df().set_index("name")
    assert 0 < tasks.seconds["team"] < 60
    assert tasks.loc["worker"].shape[0] == 2
    assert tasks.loc["worker"].seconds.isna().all()  # side by side
    without = book.history(thread_id).tasks_df().set_index("name").seconds
    assert tasks.seconds["team"] <= without["team"]  # the task around its subgraph


def answer(id_, read, written):
    usage = {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}
    return AIMessage(f"answer {id_}", id=id_, usage_metadata=usage)


class Kept(TypedDict, total=False):
    messages: Annotated[list[Any], operator.add]
    notes: Annotated[list[Any], operator.add]


def talking(*, returns):
    """A graph whose node is a subgraph that thinks (7 tokens) and says (15); it returns its messages, or only notes."""
    inner = StateGraph(Kept, output_schema=Kept if returns else Notes)
    inner.add_sequence(
        [
            ("think", lambda state: {"messages": [answer("thought", 5, 2)]}),
            ("say", lambda state: {"messages": [answer("said", 10, 5)], "notes": ["done"]}),
        ]
    )
    outer = StateGraph(Kept).add_node("talk", inner.add_edge(START, "think").compile()).add_edge(START, "talk")
    return outer.add_node("end", lambda state: {"notes": ["end"]}).add_edge("talk", "end")


class Notes(TypedDict, total=False):
    notes: list[Any]


@pytest.mark.parametrize("returns", [True, False])
def test_what_a_subgraph_spends_is_counted_once(returns):
    graph = talking(returns=returns).compile(checkpointer=InMemorySaver())
    thread_id = start(book := fb.connect(graph), "talk", {"messages": [], "notes": []})
    without, inside = book.history(thread_id), book.history(thread_id, subgraphs=True)
    totals = [int(history.checkpoints_df().spent_tokens.sum()) for history in (without, inside)]
    assert totals == ([22, 22] if returns else [0, 22])
    row = inside.tokens_df().iloc[0]
    assert (row.total_tokens, row.shared_tokens, row.own_tokens) == (22, 0, 22)
    inside[1].resume()  # a replay: it spends again, each on its own branch
    without, inside = book.history(thread_id), book.history(thread_id, subgraphs=True)
    assert int(inside.checkpoints_df().spent_tokens.sum()) == 44
    assert inside.tokens_df().own_tokens.tolist() == [22, 22]
    if returns:
        assert without.tokens_df().equals(inside.tokens_df())
    compared = inside.compare("A", "B").tokens_df()
    assert compared.total_tokens.tolist() == [0, 22, 22]


def test_a_subgraph_with_a_memory_of_its_own_is_read_once_and_lies_across_turns(tmp_path):
    remembering = StateGraph(MessagesState)
    remembering.add_node("say", lambda state: {"messages": [answer(f"a{len(state['messages'])}", 10, 5)]})
    sub = remembering.add_edge(START, "say").compile(checkpointer=True)
    again = StateGraph(MessagesState)
    again.add_node("say", lambda state: {"messages": []})
    called = again.add_edge(START, "say").compile()

    def twice(state):
        called.invoke({"messages": []})
        called.invoke({"messages": []})
        return {"messages": []}

    builder = StateGraph(MessagesState).add_sequence([("sub", sub), ("twice", twice)]).add_edge(START, "sub")
    book = fb.connect(builder.compile(checkpointer=InMemorySaver()))
    thread_id = start(book, "memory", {"messages": [("user", "one")]})
    first = book.history(thread_id, subgraphs=True)
    book.backend._graph.invoke({"messages": [("user", "two")]}, {"configurable": {"thread_id": thread_id}})
    history = book.history(thread_id, subgraphs=True)
    names = sorted({cp.namespace.partition(":")[0] + ("|1" if "|" in cp.namespace else "") for cp in history})
    assert names == ["", "sub", "twice", "twice|1"]
    memory = [cp for cp in history if cp.namespace == "sub"]
    assert len(memory) == 6
    assert len({cp.inside.id for cp in memory}) == 2
    assert [cp.parent for cp in memory] == [None, *memory[:-1]]
    assert {cp.task["name"] for cp in memory} == {"sub"}
    assert int(history.checkpoints_df().spent_tokens.sum()) == int(
        book.history(thread_id).checkpoints_df().spent_tokens.sum()
    )
    assert drawn(first.refresh()) == drawn(history)
    report = book.export(tmp_path / "study.forkbook")
    assert report.checkpoints == len(history)
    with fb.connect(tmp_path / "study.forkbook") as archive:
        assert drawn(archive.history(thread_id, subgraphs=True)) == drawn(history)


def test_the_newest_only_leaves_out_subgraphs_of_older_tasks(begun):
    book, thread_id = begun("nested", {"answers": ["x"]})
    book.history(thread_id)[1].answer("yes")
    newest = book.history(thread_id, limit=2, subgraphs=True)
    assert [cp.title for cp in newest] == ["step 1", "end"]
    assert not newest.complete


def test_the_picture_shows_nested_lanes_that_fold():
    book = fb.connect(build_nested().compile(checkpointer=InMemorySaver()))
    thread_id = start(book, "nested", {"answers": ["x"]})
    history = book.history(thread_id, subgraphs=True)
    points = {fold: picked(history.figure(fold=fold)) for fold in (False, True)}
    assert sorted(points[False]) == list(range(7))
    assert points[False][6][0] > points[False][3][0] > points[False][1][0]
    assert sorted(points[True]) == [0, 1]
    labels = next(trace for trace in history.figure(fold=True).data if trace.name == "labels")
    assert "▸ 5 inside" in labels.text[1]
    assert "inner: prepare" in repr(history)
    assert [(a, b) for a, b, inside in history.graph.edges(data="inside") if inside] == [
        (history[1].id, history[2].id),
        (history[3].id, history[4].id),
    ]


def picked(figure):
    """Where each position is drawn."""
    traces = [trace for trace in figure.data if trace.mode == "markers" and trace.customdata is not None]
    return {at: (x, y) for trace in traces for at, x, y in zip(trace.customdata, trace.x, trace.y, strict=True)}


def test_the_explorers_code_of_an_edit_inside_names_the_subgraph():
    book = fb.connect(build_nested().compile(checkpointer=InMemorySaver()))
    explorer = book.history(start(book, "nested", {"answers": ["x"]}), subgraphs=True).explore()
    inside = explorer.history[6]
    explorer.do("preview", position=6, edits=[{"channel": "answers", "path": [], "text": '["edited"]'}])
    explorer.wait()
    codes = [block["text"] for block in act_blocks(explorer.coming) if block["kind"] == "code"]
    assert len(codes) == 5, (explorer.result, codes)
    assert [inside.namespace in code for code in codes[1:]] == [True] * 4, "else the edit makes a new root"
