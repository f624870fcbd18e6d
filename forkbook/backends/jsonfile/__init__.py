"""A JSON file of threads as a backend: where each thread is in the file, and its parts in the shape of a state."""
