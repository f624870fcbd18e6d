"""Pictures of a tree: its lanes, as plain text, and as a plotly figure."""
