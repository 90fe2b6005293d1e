"""The plain answers of the service: bodies and errors."""

from __future__ import annotations

from aiohttp import web

from sandbox.pages import render

RATE_LIMIT_MESSAGE = "Your request rate has exceeded our rate limit."

HTML_PAGE = b"<!DOCTYPE html><html><body><h1>Just a moment...</h1></body></html>"


def with_body(content: bytes, content_type: str = "application/json") -> web.Response:
    """Answer 200."""
    return web.Response(body=content, content_type=content_type, charset="utf-8")


def error(code: int, message: str, **more: object) -> web.Response:
    """Answer with an error as the service words it.

    Args:
        code: The HTTP status.
        message: What is wrong.
        more: Other fields of the body: `param`, save for the rate limit.
    """
    response = with_body(render({"code": code, "message": message, **more}))
    response.set_status(code)
    return response
