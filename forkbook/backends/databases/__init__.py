"""What checkpoint stores in databases have in common: rows kept between reads, channels rebuilt from their writes."""
