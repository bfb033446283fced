"""Benchmarks: ratios beside peers in one run. `make bench`, or `python -m bench cycles`."""
