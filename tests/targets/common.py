"""What several targets have in common."""

from __future__ import annotations

from tests.targets.comparison import ROUNDED
from tests.targets.target import ROOT, Fault

MELTANO = ROOT / ".meltano/loaders"

AS_OLD_PYTHON = """
import collections, runpy, sys
from collections import abc
collections.MutableMapping = abc.MutableMapping
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
OLD_PYTHON = ("python", "-c", AS_OLD_PYTHON)
ON_OLD_PYTHON = (
    "Its code needs `collections.MutableMapping`, which Python 3.10 took away; here it "
    "is put back."
)

FLOATS = Fault(
    ROUNDED,
    "It makes floats of decimals, by `json.loads`. What is flattened is text to it, "
    "and keeps every digit.",
)
NO_PROPERTIES = Fault(
    "KeyError: 'properties'", "It takes no object whose keys the schema doesn't name."
)
NO_VERSION = Fault("Unknown message type ACTIVATE_VERSION", "It knows no such message.")
