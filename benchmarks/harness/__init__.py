"""The shared code of the benchmarks: reports, clocks, servers, pictures, and rivals."""
