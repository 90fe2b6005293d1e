"""Pages that are well-formed, but not what they should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from sandbox.exchange import Exchange
    from sandbox.faults.fault import Fault


def page(edit: Callable[[dict[str, Any]], object]) -> Fault:
    """Answer with another body than the page's.

    Args:
        edit: Makes the other body, of any JSON type, from the page's.
    """

    async def answer(exchange: Exchange) -> web.Response:
        return await exchange.answer(edit)

    return answer


def without(*fields: str) -> Fault:
    """Leave fields out of a page.

    Args:
        fields: Their names.
    """
    return page(lambda body: {key: body[key] for key in body if key not in fields})


def with_values(**values: object) -> Fault:
    """Give fields of a page other values.

    Args:
        values: The fields' names and values.
    """
    return page(lambda body: body | values)


def repeated_cursor(cursor: str) -> Fault:
    """Send a cursor again that came before, with more to come.

    Args:
        cursor: That cursor.
    """
    return with_values(cursor=cursor, has_more=True)


def empty_page() -> Fault:
    """Send no customers, but a cursor to those that the page should have held."""

    async def answer(exchange: Exchange) -> web.Response:
        again = {"entries": [], "cursor": exchange.start_cursor(), "has_more": True}
        return await exchange.answer(lambda body: body | again)

    return answer
