"""What can go wrong with one answer: small named makers of faults."""

from sandbox.faults.bodies import body, broken_json, cut_gzip, html, redirect, status
from sandbox.faults.connections import (
    cut_body,
    cut_chunked,
    drip,
    endless,
    hang,
    preceded,
    raw,
    reset,
    slow,
    stall,
    unannounced_close,
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
    "endless",
    "hang",
    "html",
    "one_in",
    "page",
    "preceded",
    "raw",
    "redirect",
    "repeated_cursor",
    "reset",
    "slow",
    "stall",
    "status",
    "unannounced_close",
    "with_values",
    "without",
]
