"""What the tap costs, beside other ways to read or load the same customers.

`make bench` measures (`python -m benchmarks.measure`) and writes what it saw into the
pages (`python -m benchmarks.report`).
"""
