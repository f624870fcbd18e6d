"""The demo's threads made in this process, with any checkpointer: the same shapes and numbers as on the server."""

import contextlib

from forkbook.demo.agent import builder
from forkbook.demo.seed import THREADS


def compiled(saver):
    from langgraph.store.memory import InMemoryStore

    return builder.compile(checkpointer=saver, store=InMemoryStore())


def human(number, text):
    return {"messages": [{"type": "human", "content": text, "id": f"message-{number}"}]}


def seed(graph):
    """Run the demo's conversations; gives the thread ids by name."""

    def config(name, checkpoint_id=None):
        at = {"checkpoint_id": checkpoint_id, "checkpoint_ns": ""} if checkpoint_id else {}
        return {"configurable": {"thread_id": THREADS[name], "user_id": "123", **at}}

    def find(name, wanted):
        history = graph.get_state_history(config(name))
        return next(s.config["configurable"]["checkpoint_id"] for s in history if wanted(s))

    def edit(name, checkpoint_id, values, as_node=None):
        edited = graph.update_state(config(name, checkpoint_id), values, as_node=as_node)
        graph.invoke(None, config(name, edited["configurable"]["checkpoint_id"]))

    graph.invoke({}, config("time travel"))
    edit("time travel", find("time travel", lambda s: s.next == ("write_joke",)), {"topic": "chickens"})

    for n, text in enumerate(("Hi, my name is Ada", "what is 6 * 7?", "tell me about myself"), 1):
        graph.invoke(human(n, text), config("branches"))
    asked = find("branches", lambda s: s.next == ("chat",) and s.values["messages"][-1].id == "message-2")
    edit("branches", asked, human(2, "I like chess"), as_node="__start__")
    saved = graph.get_state(config("branches")).config["configurable"]["checkpoint_id"]
    graph.invoke(human(4, "what is 10 / 4?"), config("branches"))
    graph.invoke(human(5, "tell me about myself"), config("branches", saved))

    graph.invoke(human(1, "please publish the study"), config("approval"))
    graph.invoke(human(1, "good morning"), config("memory"))
    with contextlib.suppress(ZeroDivisionError):
        graph.invoke(human(1, "what is 1 / 0?"), config("trouble"))
    return dict(THREADS)
