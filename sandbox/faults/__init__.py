"""What can go wrong with one answer: small named makers of faults."""

from sandbox.faults.bodies import body, broken_json, cut_gzip, html, redirect, status
from sandbox.faults.connections import (
    cut_body,
    cut_chunked,
    drip,
    hang,
    reset,
    slow,
    stall,
)
from sandbox.faults.edits import (
    empty_page,
    page,
    repeated_cursor,
    with_values,
    without,
)
from sandbox.faults.fault import Fault, Script
from sandbox.faults.mix import one_in

__all__ = [
    "Fault",
    "Script",
    "body",
    "broken_json",
    "cut_body",
    "cut_chunked",
    "cut_gzip",
    "drip",
    "empty_page",
    "hang",
    "html",
    "one_in",
    "page",
    "redirect",
    "repeated_cursor",
    "reset",
    "slow",
    "stall",
    "status",
    "with_values",
    "without",
]
