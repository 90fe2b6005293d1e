"""All targets, in the order of the page."""

from __future__ import annotations

from tests.targets.databases import DATABASES
from tests.targets.stores import STORES

TARGETS = (*DATABASES, *STORES)
