"""The memory that threads share, LangGraph's Store, in the places that have one: server, graph, SQLite, Postgres."""
