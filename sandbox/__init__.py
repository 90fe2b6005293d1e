"""A stand-in for ChartMogul's List Customers API, for tests and benchmarks.

It runs in a thread of the test's own process (`Sandbox`) or as a program
(`python -m sandbox`), on the loopback interface alone.
"""

from sandbox import faults, stale
from sandbox.customers import generate_customers
from sandbox.sandbox import API_KEY, Sandbox
from sandbox.vocabulary import DATA_SOURCES

__all__ = [
    "API_KEY",
    "DATA_SOURCES",
    "Sandbox",
    "faults",
    "generate_customers",
    "stale",
]
