"""Each fault of the sandbox reaches the client as what it is named after."""

from __future__ import annotations

import gzip
import http.client
import json
import time
import zlib
from base64 import b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest

from sandbox import Sandbox, faults, generate_customers

if TYPE_CHECKING:
    from collections.abc import Iterator

GZIP = {"Accept-Encoding": "gzip"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(generate_customers(100), rate_limit=None) as running:
        yield running


def get(
    sandbox: Sandbox, query: str = "", most: int | None = None, /, **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    """Ask without any of the kindness of a bigger client."""
    key = b64encode(f"{sandbox.api_key}:".encode()).decode()
    connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=10)
    try:
        connection.request(
            "GET",
            f"/v1/customers?per_page=50&{query}",
            headers={"Authorization": f"Basic {key}", **headers},
        )
        response = connection.getresponse()
        return response, response.read(most)
    finally:
        connection.close()


def page(sandbox: Sandbox, query: str = "") -> Any:
    return json.loads(get(sandbox, query)[1])


def test_a_script_by_number_touches_those_requests_alone(sandbox: Sandbox) -> None:
    sandbox.script({2: faults.status(503)})
    assert [get(sandbox)[0].status for _ in range(3)] == [200, 503, 200]
    assert [request.status for request in sandbox.requests] == [200, 503, 200]


def test_a_script_can_look_at_the_request(sandbox: Sandbox) -> None:
    sandbox.script(
        lambda request: faults.status(500) if "cursor" in request.query else None
    )
    cursor = page(sandbox)["cursor"]
    assert get(sandbox, f"cursor={quote(cursor, safe='')}")[0].status == 500


def test_status_answers_as_the_service_words_errors(sandbox: Sandbox) -> None:
    sandbox.script({1: faults.status(403, message="Not yours")})
    response, body = get(sandbox)
    assert response.status == 403
    assert json.loads(body) == {"code": 403, "message": "Not yours", "param": None}


def test_status_429_has_the_rate_limits_body(sandbox: Sandbox) -> None:
    sandbox.script({1: faults.status(429)})
    assert page(sandbox) == {
        "code": 429,
        "message": "Your request rate has exceeded our rate limit.",
    }


@pytest.mark.parametrize("retry_after", [0, 7, "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_status_says_when_to_try_again(
    sandbox: Sandbox, retry_after: int | str
) -> None:
    sandbox.script({1: faults.status(503, retry_after=retry_after)})
    assert get(sandbox)[0].headers["Retry-After"] == str(retry_after)
    assert "Retry-After" not in get(sandbox)[0].headers


def test_redirect_points_elsewhere(sandbox: Sandbox) -> None:
    sandbox.script({1: faults.redirect("https://example.com/")})
    response, _ = get(sandbox)
    assert (response.status, response.headers["Location"]) == (
        302,
        "https://example.com/",
    )


def test_html_is_a_page_with_status_200(sandbox: Sandbox) -> None:
    sandbox.script({1: faults.html()})
    response, body = get(sandbox)
    assert response.status == 200
    assert response.headers.get_content_type() == "text/html"
    assert body.startswith(b"<!DOCTYPE html>")


def test_body_is_any_bytes(sandbox: Sandbox) -> None:
    sandbox.script({1: faults.body(b"\xff[")})
    response, body = get(sandbox)
    assert (response.status, body) == (200, b"\xff[")


def test_broken_json_arrives_whole(sandbox: Sandbox) -> None:
    sandbox.script({1: faults.broken_json()})
    response, body = get(sandbox)
    assert int(response.headers["Content-Length"]) == len(body)
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


def test_cut_gzip_arrives_whole_but_does_not_unpack(sandbox: Sandbox) -> None:
    sandbox.script({1: faults.cut_gzip()})
    response, body = get(sandbox, **GZIP)
    assert int(response.headers["Content-Length"]) == len(body)
    assert response.headers["Content-Encoding"] == "gzip"
    assert zlib.decompressobj(wbits=31).decompress(body).startswith(b'{"entries":')
    with pytest.raises(EOFError):
        gzip.decompress(body)


@pytest.mark.parametrize("headers", [{}, GZIP])
@pytest.mark.parametrize("after", [0, 500])
def test_cut_body_ends_before_its_length(
    sandbox: Sandbox, after: int, headers: dict[str, str]
) -> None:
    sandbox.script({1: faults.cut_body(after)})
    with pytest.raises(http.client.IncompleteRead) as cut:
        get(sandbox, **headers)
    assert len(cut.value.partial) == after
    assert cut.value.expected is not None
    assert cut.value.expected > 1_000


def test_cut_body_always_cuts(sandbox: Sandbox) -> None:
    sandbox.script({1: faults.cut_body(after=10**9)})
    with pytest.raises(http.client.IncompleteRead) as cut:
        get(sandbox)
    assert cut.value.expected == 1


def test_cut_chunked_ends_before_its_last_chunk(sandbox: Sandbox) -> None:
    sandbox.script({1: faults.cut_chunked(500)})
    with pytest.raises(http.client.IncompleteRead) as cut:
        get(sandbox)
    assert len(cut.value.partial) == 500


def test_reset_breaks_the_connection(sandbox: Sandbox) -> None:
    sandbox.script({1: faults.reset()})
    with pytest.raises(ConnectionResetError, match="reset by peer"):
        get(sandbox)
    assert [request.status for request in sandbox.requests] == [None]


def test_hang_says_nothing_for_a_while(sandbox: Sandbox) -> None:
    sandbox.script({1: faults.hang(0.3)})
    begin = time.monotonic()
    with pytest.raises(ConnectionResetError):
        get(sandbox)
    assert 0.3 <= time.monotonic() - begin < 3


def test_raw_is_any_bytes(sandbox: Sandbox) -> None:
    sandbox.script({1: faults.raw(b"HTTP/1.0 200 So be it\r\n\r\nwhatever")})
    response, body = get(sandbox)
    assert (response.version, response.reason, body) == (10, "So be it", b"whatever")


def test_unannounced_close_answers_first(sandbox: Sandbox) -> None:
    sandbox.script({1: faults.unannounced_close()})
    response, body = get(sandbox)
    assert "Connection" not in response.headers
    assert len(json.loads(body)["entries"]) == 50
    assert [request.status for request in sandbox.requests] == [None]


def test_a_page_can_become_any_json(sandbox: Sandbox) -> None:
    sandbox.script({1: faults.page(lambda body: [len(body["entries"])])})
    assert page(sandbox) == [50]


def test_without_leaves_fields_out(sandbox: Sandbox) -> None:
    whole = page(sandbox)
    sandbox.script({2: faults.without("has_more", "cursor")})
    assert page(sandbox).keys() == whole.keys() - {"has_more", "cursor"}


def test_with_values_sets_fields(sandbox: Sandbox) -> None:
    whole = page(sandbox)
    sandbox.script({2: faults.with_values(cursor=None)})
    assert page(sandbox) == whole | {"cursor": None}


def test_a_repeated_cursor_leads_back(sandbox: Sandbox) -> None:
    cursor = page(sandbox)["cursor"]
    sandbox.script({2: faults.repeated_cursor(cursor)})
    body = page(sandbox, f"cursor={quote(cursor, safe='')}")
    assert (body["cursor"], body["has_more"]) == (cursor, True)


@pytest.mark.parametrize("number", [1, 2])
def test_an_empty_page_loses_nobody(sandbox: Sandbox, number: int) -> None:
    sandbox.script({number: faults.empty_page()})
    body = page(sandbox)
    pages = [body["entries"]]
    while body["has_more"]:
        body = page(sandbox, f"cursor={quote(body['cursor'], safe='')}")
        pages.append(body["entries"])
    assert [len(entries) for entries in pages].index(0) == number - 1
    read = [customer["uuid"] for entries in pages for customer in entries]
    assert read == [customer["uuid"] for customer in sandbox.customers]


def test_a_mix_of_faults_is_the_same_each_time(sandbox: Sandbox) -> None:
    def answers() -> list[str]:
        sandbox.script(faults.one_in(2, seed=5))
        return [_outcome(sandbox) for _ in range(40)]

    first = answers()
    assert first[::2] == ["whole"] * 20
    assert set(first[1::2]) == {"503", "429", "reset", "cut", "broken"}
    assert answers() == first


def _outcome(sandbox: Sandbox) -> str:
    try:
        response, body = get(sandbox)
        json.loads(body)
    except ConnectionResetError:
        return "reset"
    except http.client.IncompleteRead:
        return "cut"
    except json.JSONDecodeError:
        return "broken"
    return "whole" if response.status == 200 else str(response.status)
