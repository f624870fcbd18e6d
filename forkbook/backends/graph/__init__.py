"""A compiled graph, or a checkpointer alone, in this process as a backend: what LangGraph reads, writes and runs."""
