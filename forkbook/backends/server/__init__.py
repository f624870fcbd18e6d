"""An Agent Server as a backend: its requests, runs, graphs, shared memory and errors."""
