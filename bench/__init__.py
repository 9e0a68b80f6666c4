"""What a request costs: `python -m bench`, which is what `make bench` runs.

Every figure is a ratio of two things done in the same run, in turn, on the same machine; docs/benchmarks.md says what
each row means. Nothing here passes or fails by a time: a benchmark that only a fast machine survives tells nothing.
"""
