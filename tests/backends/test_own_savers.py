"""Checkpointers that people write themselves: what they do not offer is said, everything else works."""

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

import forkbook as fb


def on(saver):
    builder = StateGraph(MessagesState).add_node("say", lambda state: {"messages": [AIMessage("r", id="r")]})
    graph = builder.add_edge(START, "say").compile(checkpointer=saver)
    graph.invoke({"messages": [HumanMessage("x", id="x")]}, {"configurable": {"thread_id": "t"}})
    return graph


def one_thread_only(refusal):
    """A saver that lists one thread at a time, as one on a key-value store does."""

    class Saver(InMemorySaver):
        def list(self, config, **more):
            if not (config or {}).get("configurable", {}).get("thread_id"):
                if refusal is None:
                    return None
                raise refusal
            return super().list(config, **more)

    return Saver()


class OnlyAsync(InMemorySaver):
    """A saver whose sync methods are not implemented."""

    def get_tuple(self, *given, **more):
        raise NotImplementedError("use the async method")

    list = put = put_writes = delete_thread = get_tuple

    async def aget_tuple(self, config):
        return InMemorySaver.get_tuple(self, config)

    async def alist(self, config, **more):
        if config is None:
            raise ValueError("thread_id is required")
        for item in InMemorySaver.list(self, config, **more):
            yield item

    async def aput(self, *given):
        return InMemorySaver.put(self, *given)

    async def aput_writes(self, *given):
        return InMemorySaver.put_writes(self, *given)

    async def adelete_thread(self, thread_id):
        return InMemorySaver.delete_thread(self, thread_id)


REFUSALS = [
    ValueError("Runnable config must contain thread_id"), NotImplementedError("list"), TypeError("config is None"),
    KeyError("configurable"), AttributeError("'NoneType' object has no attribute 'get'"), None,
]  # fmt: skip


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: type(refusal).__name__)
def test_a_saver_that_lists_one_thread_says_how_to_go_on(refusal):
    with fb.connect(on(one_thread_only(refusal))) as book:
        for call in (book.threads, lambda: book.threads(metadata={"user": "ada"}), lambda: book.export("x.json")):
            with pytest.raises(fb.Unsupported, match=r"open a thread by its id, book\['thread_id'\]"):
                call()
        assert list(book.threads(ids=["t", "none such"]).thread_id) == ["t"]
        assert len(book["t"]) == 3


def test_all_else_works_on_a_saver_that_lists_one_thread(tmp_path):
    with fb.connect(on(one_thread_only(ValueError("thread_id")))) as book:
        assert "t" in book
        assert "other" not in book
        with pytest.raises(fb.ThreadNotFound):
            book["other"]
        history = book["t"]
        history[-1].preview({"messages": [HumanMessage("p")]})
        assert history.at(step=0).fork({"messages": [HumanMessage("y", id="y")]}).status == "finished"
        assert len(history.refresh()) == 5
        assert history.at(step=0).fork({"messages": []}, as_node="__start__", in_copy=True).status == "finished"
        report = book.copy("t")
        assert report
        assert set(book.copies("t").thread_id) >= {report.new_thread_id}
        sweep = history[-1].sweep([{"messages": [HumanMessage("s")]}], repeats=2)
        assert len(sweep.df()) == 2
        assert [found.id for found in book.sweeps("t")] == [sweep.id]
        assert book.export(tmp_path / "t.forkbook", ["t"]).threads == 1
        target = on(one_thread_only(ValueError("thread_id")))
        target.checkpointer.delete_thread("t")
        moved = fb.migrate(book, target, ["t"])
        assert moved
        assert len(fb.connect(target)["t"]) == len(book["t"])
        book.backend.delete(report.new_thread_id)
        assert report.new_thread_id not in book


async def _invoked(graph):
    await graph.ainvoke({"messages": [HumanMessage("x", id="x")]}, {"configurable": {"thread_id": "t"}})


def test_a_saver_that_is_only_async_is_awaited():
    import asyncio

    builder = StateGraph(MessagesState).add_node("say", lambda state: {"messages": [AIMessage("r", id="r")]})
    graph = builder.add_edge(START, "say").compile(checkpointer=OnlyAsync())
    asyncio.run(_invoked(graph))
    with fb.connect(graph) as book:
        assert len(book["t"]) == 3
        assert book.copy("t")
        with pytest.raises(fb.Unsupported, match="book"):
            book.threads()


class OnlyReads(BaseCheckpointSaver):
    """A saver without `put` and `put_writes`, on what another one keeps."""

    def __init__(self, kept):
        super().__init__()
        self.kept = kept

    def get_tuple(self, config):
        return self.kept.get_tuple(config)

    def list(self, config, **more):
        return self.kept.list(config, **more)

    def get_next_version(self, current, channel):
        return self.kept.get_next_version(current, channel)


def test_a_saver_that_cannot_write_refuses_copies_before_anything_is_written(tmp_path):
    graph = on(kept := InMemorySaver())
    graph.checkpointer = OnlyReads(kept)
    with fb.connect(graph) as book:
        book.export(tmp_path / "t.forkbook")
        for act in (
            lambda: book.copy("t"),
            lambda: book.copy("t", book["t"][0]),
            lambda: fb.migrate(tmp_path / "t.forkbook", graph),
            lambda: book["t"][1].edit({"messages": []}, as_node="__start__", in_copy=True),
        ):
            with pytest.raises(fb.Unsupported, match="OnlyReads has no put and no put_writes"):
                act()
        assert {saved.config["configurable"]["thread_id"] for saved in kept.list(None)} == {"t"}
        assert list(book.threads().thread_id) == ["t"]
