"""What the benchmarks share: the table and its file, clocks, servers, pictures, and rivals."""
