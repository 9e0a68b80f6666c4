"""Benchmarks: `python -m bench`, which `make bench` runs.

Every figure is a ratio of two things measured in turn, in the same run, on the same machine; docs/benchmarks.md says
what each row means. Nothing passes or fails by a time, which would only test the machine.
"""
