"""The types of a fault, and of a script that picks one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aiohttp import web

from sandbox.exchange import Exchange, SeenRequest

Fault: TypeAlias = Callable[[Exchange], Awaitable[web.StreamResponse | None]]
"""Answers one exchange in its own way; None means that it broke the connection."""

Script: TypeAlias = Callable[[SeenRequest], Fault | None]
"""Picks the fault, if any, that a request meets with."""
