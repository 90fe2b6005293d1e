"""What is patched in the SDK is still there, is called, and is still needed."""

from __future__ import annotations

import gzip
import io
import json
import signal
from contextlib import redirect_stdout
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk import Tap
from singer_sdk.plugin_base import _ConfigInput
from singer_sdk.streams import RESTStream
from singer_sdk.testing import get_tap_test_class

from sandbox import API_KEY, Sandbox, generate_customers
from tap_chartmogul_customers.records.columns import CUSTOMER_SCHEMA
from tap_chartmogul_customers.sdk.stream import PagedStream
from tap_chartmogul_customers.sdk.tap import PlainTap
from tap_chartmogul_customers.stream import CustomersStream
from tap_chartmogul_customers.tap import TapChartMogulCustomers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG: dict[str, Any] = {"api_key": API_KEY, "api_url": "http://127.0.0.1:1/v1"}
"""The address is set when the sandbox has one; the SDK wants it before."""


@pytest.fixture(scope="module", autouse=True)
def _account() -> Iterator[None]:
    with Sandbox(generate_customers(30, seed=3), rate_limit=None) as sandbox:
        CONFIG["api_url"] = sandbox.url
        yield


@pytest.fixture(autouse=True)
def _signal_handlers_of_before() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


TestTapAsTheSdkTestsIt = get_tap_test_class(
    TapChartMogulCustomers, config=CONFIG, parse_env_config=False
)


class SdkStream(RESTStream[Any]):
    """A stream as the SDK has it, of the same customers."""

    name = "customers"
    path = "/customers"
    schema = CUSTOMER_SCHEMA
    url_base = "http://127.0.0.1:1"

    def get_records(self, context: object) -> Iterator[dict[str, Any]]:
        del context
        yield {"uuid": "cus_1", "attributes": None}
        yield {"uuid": "cus_2", "attributes": {"tags": [], "new": {"a": 1}}}


class SdkTap(Tap):
    """A tap as the SDK has it."""

    name = "tap-plain"
    config_jsonschema = {"properties": {}}  # noqa: RUF012

    def discover_streams(self) -> list[SdkStream]:
        return [SdkStream(self)]


def written(tap: Tap) -> list[dict[str, Any]]:
    """Run a tap in this process and return its messages."""
    out = io.TextIOWrapper(io.BytesIO(), write_through=True)
    with redirect_stdout(out):
        tap.sync_all()
    out.flush()
    assert isinstance(out.buffer, io.BytesIO)
    return [json.loads(line) for line in out.buffer.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("ours", "name"),
    [
        (PagedStream, "_sync_records"),
        (PagedStream, "_generate_record_messages"),
        (PlainTap, "_handle_termination"),
    ],
)
def test_the_sdk_still_calls_each_private_hook(
    monkeypatch: pytest.MonkeyPatch, ours: type, name: str
) -> None:
    assert any(name in vars(base) for base in ours.__mro__[1:])

    class CalledError(Exception):
        pass

    def call(*_: object, **__: object) -> None:
        raise CalledError

    monkeypatch.setattr(ours, name, call)
    tap = TapChartMogulCustomers(
        config={**CONFIG, "flattening_enabled": True, "flattening_max_depth": 1}
    )
    stop = name == "_handle_termination"
    with pytest.raises(CalledError):
        signal.raise_signal(signal.SIGTERM) if stop else written(tap)


def test_the_version_of_a_record_is_still_the_private_attribute() -> None:
    stream = TapChartMogulCustomers(config=dict(CONFIG)).streams["customers"]
    assert isinstance(stream, CustomersStream)
    assert stream._stream_version is None  # noqa: SLF001
    stream.set_version(7)
    (message,) = stream._generate_record_messages({"uuid": "cus_1"})  # noqa: SLF001
    assert message.version == 7


def test_the_sdk_still_reads_what_cb_config_returns_and_names_no_file(
    tmp_path: Path,
) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"api_key": "key"}))
    read = PlainTap.cb_config(None, None, (str(config), "ENV"))  # type: ignore[arg-type]
    assert read == _ConfigInput({"api_key": "key"}, parse_env=True)
    config.write_text("[1]")
    with pytest.raises(Exception) as error:  # noqa: PT011 (whatever it raises)
        SdkTap.cb_config(None, None, (str(config),))  # type: ignore[arg-type]
    assert str(config) not in str(error.value)


def test_the_sdk_still_activates_a_version_first_and_keeps_no_place_between() -> None:
    tap = SdkTap(config={"emit_activate_version_messages": True})
    kinds = [message["type"] for message in written(tap)]
    assert kinds == ["SCHEMA", "ACTIVATE_VERSION", "RECORD", "RECORD", "STATE"]


def test_flattened_records_of_the_sdk_still_lack_columns_and_have_others() -> None:
    config = {"flattening_enabled": True, "flattening_max_depth": 1}
    schema, first, second, *_ = written(SdkTap(config=config))
    columns = schema["schema"]["properties"].keys()
    assert "attributes__tags" in columns
    assert "attributes__tags" not in first["record"]
    assert second["record"].keys() - columns


def test_batches_of_the_sdk_still_leave_out_stream_maps(tmp_path: Path) -> None:
    config = {
        "batch_config": {
            "encoding": {"format": "jsonl", "compression": "gzip"},
            "storage": {"root": tmp_path.as_uri()},
        },
        "stream_maps": {"customers": {"new": "uuid"}},
    }
    written(SdkTap(config=config))
    (file,) = tmp_path.iterdir()
    first, *_ = gzip.decompress(file.read_bytes()).splitlines()
    assert json.loads(first) == {"uuid": "cus_1", "attributes": None}


def test_a_signal_still_ends_a_tap_of_the_sdk_with_0() -> None:
    tap = SdkTap(config={})
    with pytest.raises(SystemExit) as ended:
        tap._handle_termination(signal.SIGTERM, None)  # noqa: SLF001
    assert not ended.value.code


@pytest.mark.parametrize("expression", ["x * 1.5", "json.dumps(x)"])
def test_expressions_of_the_sdk_still_take_no_decimals(expression: str) -> None:
    tap = SdkTap(config={"stream_maps": {"customers": {"new": expression}}})
    (stream_map,) = tap.mapper.stream_maps["customers"]
    with pytest.raises(TypeError) as error:
        stream_map.transform({"uuid": "cus_1", "x": Decimal("0.1")})
    assert expression not in str(error.value)


def test_the_schema_of_the_sdk_still_has_a_form_that_is_none() -> None:
    schema: dict[str, Any] = {"properties": {}}
    SdkTap.append_builtin_config(schema)
    assert (
        "null" in schema["properties"]["stream_maps"]["properties"]["__else__"]["anyOf"]
    )
