"""How a customer as the API sends it becomes a record of the stream."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tap_chartmogul_customers.api.decoder import CustomerDecoder, LooseCustomer
from tap_chartmogul_customers.records.columns import COLUMNS
from tap_chartmogul_customers.records.custom_attributes import source_of
from tap_chartmogul_customers.records.types import (
    UnreadableError,
    ValueReader,
    as_json,
    read_array,
    read_object,
    reader_of,
    types_of,
)

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable

    from singer_sdk.singerlib import SelectionMask

    from tap_chartmogul_customers.api.paging import Customer
    from tap_chartmogul_customers.records.types import Read

_FIELDS = {column.name: column.field for column in COLUMNS}

_NULL = ("null", ["null"])

_READ_BY_SYNC = ("uuid", "customer-since")
"""Fields that reading itself looks at, as sent: no value of them is refused."""


class _Column(NamedTuple):
    name: str
    field: str
    """The field of the API that its values are in."""
    reader: ValueReader


class RecordReader:
    """Makes records of customers, by the types of the catalog.

    Args:
        schema: The schema of a record, from the catalog.
        mask: Which properties are selected.
        logger: Where it says, once for each column, what it left out.

    Attributes:
        decoder: What pages are to be decoded with. Of a strict customer, it has checked
            the values that need no other reading.
    """

    def __init__(
        self, schema: dict[str, Any], mask: SelectionMask, logger: logging.Logger
    ) -> None:
        self._mask = mask
        self._logger = logger
        self._uuid = ""
        """Whose record is being made."""
        self._nulls = Counter[str]()
        """How many values became null, by column."""
        self._columns = [
            _Column(name, _field_of(name, column), reader)
            for name, column in schema["properties"].items()
            if (reader := self._selected(("properties", name), column))
        ]
        added = schema["properties"].keys() - _FIELDS.keys()
        self._known = {*_FIELDS.values(), *added}
        self._unseen = {
            number
            for number, each in enumerate(self._columns)
            if each.name in added and each.field == each.name
        }
        """Columns that the catalog added, of which no customer has had a value yet."""
        types = {field: self._type(field) for field in self._known}
        self._all = [
            (number, each.reader.read) for number, each in enumerate(self._columns)
        ]
        self._unchecked = [
            (number, read)
            for number, read in self._all
            if types[self._columns[number].field] is Any
        ]
        self.decoder = CustomerDecoder(types)
        self._values = self.decoder.values_of(each.field for each in self._columns)
        names = {f"_{number}": each.name for number, each in enumerate(self._columns)}
        self._record = msgspec.defstruct("Record", names, rename=names, gc=False)

    def _type(self, field: str) -> Any:  # noqa: ANN401 (a type, for `msgspec`)
        """Return the type of a field, if `msgspec` can check it; else any."""
        types = [each.reader.as_sent for each in self._columns if each.field == field]
        is_checked = len(types) == 1 and types[0] and field not in _READ_BY_SYNC
        return types[0] | None if is_checked else Any

    def read(self, customer: Customer) -> msgspec.Struct:
        """Make a record of a customer.

        Args:
            customer: As a page has it.

        Returns:
            A value, or None, for every column that is selected. It is encoded as an
            object with these columns.
        """
        self._uuid = customer.uuid
        if type(customer) is LooseCustomer:  # `isinstance` takes eight times as long.
            fields = customer.fields
            self._warn_of_unknown(fields)
            values = [fields.get(each.field) for each in self._columns]
            unchecked = self._all
        else:
            _, *values = self._values(customer)
            unchecked = self._unchecked
        for number, read in unchecked:
            if (value := values[number]) is not None:
                values[number] = read(value)
        if self._unseen:
            self._unseen = {number for number in self._unseen if values[number] is None}
        return self._record(*values)

    def report(self) -> None:
        """Say at the end how many values became null, and which columns are empty."""
        for path, count in self._nulls.items():
            self._logger.warning("Values that became null in `%s`: %d", path, count)
        # Without a customer there is nothing to tell.
        empty = self._unseen if self._uuid else ()
        for name in sorted(self._columns[number].name for number in empty):
            self._logger.warning(
                "Column `%s` of the catalog stayed empty: no customer of this run has "
                "a value in a field of that name. If it is for a custom attribute, its "
                'description must name the key, as attributes.custom["key"]',
                name,
            )

    def _warn_of_unknown(self, fields: dict[str, Any]) -> None:
        for name in sorted(fields.keys() - self._known):
            self._known.add(name)
            self.decoder.ignore(name)
            self._logger.warning(
                "Field %r of the API is unknown to this version and left out: to have "
                "it as a column, add it to the catalog's schema",
                name,
            )

    def _selected(
        self, path: tuple[str, ...], schema: dict[str, Any]
    ) -> ValueReader | None:
        """Return what reads a property. It makes null what cannot be read."""
        if not self._mask[path]:
            return None
        as_sent, read = self._reader(path, schema)
        name = ".".join(path[1::2])
        if custom := source_of(schema):
            as_sent, read = None, _picked(custom, read)

        def read_or_null(value: object) -> Any:  # noqa: ANN401
            try:
                return read(value)
            except UnreadableError as error:
                if name not in self._nulls:
                    self._logger.warning(
                        "Customer %r: `%s` becomes null: it %s",
                        self._uuid,
                        name,
                        "does not fit the type of its column; `attributes` has it"
                        if custom
                        else error,
                    )
                self._nulls[name] += 1
                return None

        return ValueReader(as_sent, read_or_null)

    def _reader(self, path: tuple[str, ...], schema: dict[str, Any]) -> ValueReader:
        """Return what reads values of a schema."""
        types = types_of(schema)
        forms = schema.get("anyOf") or schema.get("oneOf") or []
        if len(types) > 1:
            forms = [{**schema, "type": kind} for kind in types]
        if forms := [form for form in forms if form.get("type") not in _NULL]:
            # Text takes everything, so it comes last.
            forms.sort(key=lambda form: "string" in types_of(form))
            return _first_of(self._reader(path, form) for form in forms)
        (kind,) = types or [""]
        if kind == "array" and isinstance(items := schema.get("items"), dict):
            return _array_of(self._reader(path, items))
        if kind == "object":
            return self._object(path, schema)
        reader = reader_of(kind, schema.get("format"))
        if kind == "string" and "properties" in schema:
            # An object as text, without its keys that are not selected.
            return _text_of(self._object(path, schema), reader)
        return reader

    def _object(self, path: tuple[str, ...], schema: dict[str, Any]) -> ValueReader:
        properties = schema.get("properties", {})
        more = schema.get("additionalProperties", True)
        if not properties and more is True:
            return reader_of("object")
        readers = {
            key: reader
            for key, part in properties.items()
            if (reader := self._selected((*path, "properties", key), part))
        }
        # Where a key is deselected, keys that are not in the schema are left out too.
        if more is not False and len(readers) == len(properties):
            part = more if isinstance(more, dict) else {}
            others = self._selected((*path, "properties", "*"), part)
        else:
            others = None

        def read(value: object) -> dict[str, Any]:
            return {
                key: item
                if item is None or type(item) is reader.as_sent
                else reader.read(item)
                for key, item in read_object(value).items()
                if (reader := readers.get(key, others))
            }

        kinds = {reader and reader.as_sent for reader in (*readers.values(), others)}
        kind = kinds.pop() if len(kinds) == 1 else None
        return ValueReader(dict[str, kind | None] if kind else None, read)  # type: ignore[valid-type]


def _field_of(name: str, column: dict[str, Any]) -> str:
    return "attributes" if source_of(column) else _FIELDS.get(name, name)


def _picked(source: tuple[str, str], read: Read) -> Read:
    group, key = source

    def read_one(attributes: object) -> Any:  # noqa: ANN401
        values = attributes.get(group) if isinstance(attributes, dict) else None
        value = values.get(key) if isinstance(values, dict) else None
        return None if value is None else read(value)

    return read_one


def _array_of(reader: ValueReader) -> ValueReader:
    def read(value: object) -> list[Any]:
        return [
            item if item is None or type(item) is reader.as_sent else reader.read(item)
            for item in read_array(value)
        ]

    kind = reader.as_sent
    return ValueReader(list[kind | None] if kind else None, read)  # type: ignore[valid-type]


def _text_of(whole: ValueReader, other: ValueReader) -> ValueReader:
    def read(value: object) -> Any:  # noqa: ANN401
        if isinstance(value, dict):
            return as_json(whole.read(value))
        return other.read(value)

    return ValueReader(other.as_sent, read)


def _first_of(readers: Iterable[ValueReader]) -> ValueReader:
    reads = [reader.read for reader in readers]

    def read(value: object) -> Any:  # noqa: ANN401
        for each in reads:
            with suppress(UnreadableError):
                return each(value)
        raise UnreadableError

    return ValueReader(None, read)
