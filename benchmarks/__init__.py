"""What the tap costs, beside other ways to read the same customers.

`make bench` measures (`python -m benchmarks.measure`) and reports
(`python -m benchmarks.report`) into `benchmarks/results/`.
"""
