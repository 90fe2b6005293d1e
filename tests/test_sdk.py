"""What the tap takes from the SDK is still there, private hooks included."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk import Tap
from singer_sdk.streams import RESTStream
from singer_sdk.testing import get_tap_test_class

from sandbox import API_KEY, Sandbox, generate_customers
from tap_chartmogul_customers.records.schema import COLUMNS
from tap_chartmogul_customers.sdk.messages import OrderedMessages
from tap_chartmogul_customers.sdk.settings import CheckedSettings
from tap_chartmogul_customers.streams import CustomersStream
from tap_chartmogul_customers.tap import TapChartMogulCustomers
from tests.test_records import as_sent, json_values

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 1, 1, tzinfo=UTC)

CONFIG = {"api_key": API_KEY, "api_url": "http://127.0.0.1:1/v1"}
"""The address is set when the sandbox has one; the SDK wants it before."""


@pytest.fixture(scope="module", autouse=True)
def _account() -> Iterator[None]:
    with Sandbox(generate_customers(30, seed=3), rate_limit=None) as sandbox:
        CONFIG["api_url"] = sandbox.url
        yield


TestTapAsTheSdkTestsIt = get_tap_test_class(
    TapChartMogulCustomers, config=CONFIG, parse_env_config=False
)


@pytest.mark.parametrize(
    ("ours", "theirs", "names"),
    [
        (
            TapChartMogulCustomers,
            Tap,
            ["_env_var_config", "_validate_config", "_handle_termination"],
        ),
        (
            OrderedMessages,
            RESTStream,
            ["_sync_records", "_generate_record_messages"],
        ),
    ],
)
def test_the_private_hooks_are_still_there(
    ours: type, theirs: type, names: list[str]
) -> None:
    for name in names:
        assert any(name in vars(base) for base in theirs.__mro__)
        assert hasattr(ours, name)


def test_the_sdk_still_calls_the_private_hooks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called = []
    for owner, name in [
        (CheckedSettings, "_validate_config"),
        (OrderedMessages, "_sync_records"),
        (OrderedMessages, "_generate_record_messages"),
    ]:
        hook = getattr(owner, name)

        def count(
            *args: Any, _hook: Any = hook, _name: str = name, **options: Any
        ) -> Any:
            called.append(_name)
            return _hook(*args, **options)

        monkeypatch.setattr(owner, name, count)
    output(by_the_sdk=True)
    assert called.count("_validate_config") == 1
    assert called.count("_sync_records") == 1
    assert called.count("_generate_record_messages") == 30


def output(*, by_the_sdk: bool = False, **settings: Any) -> list[bytes]:
    """Run the tap in this process and return the lines that it wrote."""
    written = io.TextIOWrapper(io.BytesIO())
    with redirect_stdout(written):
        tap = TapChartMogulCustomers(config={**CONFIG, **settings})
        if by_the_sdk:
            tap.streams["customers"].__dict__["_plain"] = None
        tap.sync_all()
    written.flush()
    assert isinstance(written.buffer, io.BytesIO)
    return written.buffer.getvalue().splitlines()


@pytest.mark.parametrize("versions", [False, True])
@given(
    customer=st.dictionaries(
        st.sampled_from([c.field for c in COLUMNS if c.name != "uuid"]), json_values
    )
)
def test_a_plain_record_is_written_as_the_sdk_writes_it(
    *, versions: bool, customer: dict[str, Any]
) -> None:
    row = {"uuid": "cus_1", **as_sent(customer)}
    lines = []
    for by_the_sdk in (False, True):
        written = io.TextIOWrapper(io.BytesIO())
        with (
            redirect_stdout(written),
            patch("singer_sdk.streams.core.utc_now", lambda: NOW),
        ):
            tap = TapChartMogulCustomers(config=dict(CONFIG))
            stream = tap.streams["customers"]
            assert isinstance(stream, CustomersStream)
            stream.extracted_at = NOW
            stream.set_version(1_700_000_000 if versions else None)
            if by_the_sdk:
                stream._write_record_message(stream.post_process(row))  # noqa: SLF001
            else:
                assert stream.writes_plainly
                stream._write_plainly([dict(row)])  # noqa: SLF001
            tap.message_writer.flush()  # type: ignore[attr-defined]
        assert isinstance(written.buffer, io.BytesIO)
        lines.append(written.buffer.getvalue())
    assert lines[0] == lines[1]
    assert json.loads(lines[0])["record"]["uuid"] == "cus_1"


@pytest.mark.parametrize(
    "settings",
    [
        {"stream_maps": {"customers": {"new": "uuid"}}},
        {"stream_maps": {"copy": {"__source__": "customers"}}},
        {"flattening_enabled": True, "flattening_max_depth": 1},
    ],
)
def test_the_sdk_writes_records_with_maps_or_flattening(
    settings: dict[str, Any],
) -> None:
    stream = TapChartMogulCustomers(config={**CONFIG, **settings}).streams["customers"]
    assert isinstance(stream, CustomersStream)
    assert not stream.writes_plainly
