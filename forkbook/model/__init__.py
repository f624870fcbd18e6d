"""What histories are made of: pure, without I/O, pandas or plotly."""
