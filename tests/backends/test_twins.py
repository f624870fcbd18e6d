"""The `await` twins, under a loop that nothing can patch."""

import uvloop
from seeding import compiled

import forkbook as fb


def test_twins_under_uvloop(tmp_path):
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    async def main():
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "x.sqlite")) as saver:
            graph = compiled(saver)
            await graph.ainvoke({}, {"configurable": {"thread_id": "t", "user_id": "7"}})
            with fb.connect(graph) as book:
                history = await book.ahistory("t")
                assert (await book.athreads()).thread_id.tolist() == ["t"]
                cp = history.at(step=1)
                assert (await cp.apreview({"topic": "dogs"})).next == ("write_joke",)
                act = await cp.afork({"topic": "dogs"})
                assert "dogs" in act.checkpoint.values["joke"]
                assert act.checkpoint.metadata["user_id"] == "7"
                edited = await cp.aedit({"topic": "cats"})
                assert (await edited.checkpoint.aresume()).status == "finished"
                assert len(await history.arefresh()) == 8
                assert await book.acopy("t")

    uvloop.run(main())
