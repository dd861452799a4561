"""The plain figures of the page of benchmarks."""
