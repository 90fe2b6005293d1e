"""How a customer as the API sends it becomes a record of the stream."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tap_chartmogul_customers.errors import PagingError
from tap_chartmogul_customers.records.columns import COLUMNS
from tap_chartmogul_customers.records.custom_attributes import entries, source_of
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

_FIELDS = {column.name: column.field for column in COLUMNS}


class RecordReader:
    """Makes records of customers, by the types of the catalog.

    Args:
        schema: The schema of a record, from the catalog.
        mask: Which properties are selected.
        logger: Where it says, once for each column, what it left out.
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
            # In one tuple: to take a reader apart for each value takes longer.
            (name, source_of(column) or _FIELDS.get(name, name), *reader)
            for name, column in schema["properties"].items()
            if (reader := self._selected(("properties", name), column))
        ]
        sources = [source for _, source, *_ in self._columns]
        self._has_custom = any(isinstance(source, tuple) for source in sources)
        added = schema["properties"].keys() - _FIELDS.keys()
        self._known = {*_FIELDS.values(), *added}
        self._unseen = added.intersection(sources)
        """Fields of columns that the catalog added, which no customer has had yet."""

    def read(self, customer: dict[str, Any]) -> dict[str, Any]:
        """Make a record of a customer.

        Args:
            customer: As the API sends it.

        Returns:
            A value for every column that is selected; none where there is none.

        Raises:
            PagingError: The customer has no UUID, so that no target could keep it.
        """
        uuid = customer.get("uuid")
        if not isinstance(uuid, str) or not uuid:
            msg = "a customer without a `uuid`"
            raise PagingError(msg)
        self._uuid = uuid
        if not self._known.issuperset(customer):
            self._warn_of_unknown(customer)
        if self._unseen:
            self._unseen -= customer.keys()
        values: dict[Any, Any] = customer
        if self._has_custom:
            values = customer | entries(customer.get("attributes"))
        get = values.get
        return {
            name: value
            if (value := get(source)) is None or type(value) is as_sent
            else read(value)
            for name, source, as_sent, read in self._columns
        }

    def report(self) -> None:
        """Say at the end how many values became null, and which columns are empty."""
        for path, count in self._nulls.items():
            self._logger.warning("Values that became null in `%s`: %d", path, count)
        for field in sorted(self._unseen):
            self._logger.warning(
                "Column `%s` of the catalog stayed empty: no customer of this run has "
                "a field of that name. The description of a column of custom "
                'attributes names the key, as attributes.custom["key"]',
                field,
            )

    def _warn_of_unknown(self, customer: dict[str, Any]) -> None:
        for name in sorted(customer.keys() - self._known):
            self._known.add(name)
            self._logger.warning(
                "Field %r of the API is unknown to this version and left out; add it "
                "to the catalog's schema to have it as a column",
                name,
            )

    def _selected(
        self, place: tuple[str, ...], schema: dict[str, Any]
    ) -> ValueReader | None:
        """Return what reads a property, and makes null what cannot be read."""
        if not self._mask[place]:
            return None
        as_sent, read = self._reader(place, schema)
        path = ".".join(place[1::2])
        is_custom = source_of(schema)

        def read_or_null(value: object) -> Any:  # noqa: ANN401
            try:
                return read(value)
            except UnreadableError as error:
                if path not in self._nulls:
                    self._logger.warning(
                        "Customer %r: `%s` becomes null: it %s",
                        self._uuid,
                        path,
                        "does not fit the type of its column; `attributes` has it"
                        if is_custom
                        else error,
                    )
                self._nulls[path] += 1
                return None

        return ValueReader(as_sent, read_or_null)

    def _reader(self, place: tuple[str, ...], schema: dict[str, Any]) -> ValueReader:
        """Return what reads values of a schema."""
        types = types_of(schema)
        if len(types) > 1:
            # Text takes everything, so it comes last.
            return _first_of(
                self._reader(place, {**schema, "type": kind})
                for kind in sorted(types, key="string".__eq__)
            )
        (kind,) = types or [""]
        if kind == "array" and isinstance(items := schema.get("items"), dict):
            return _array_of(self._reader(place, items))
        if kind == "object":
            return self._object(place, schema)
        reader = reader_of(kind, schema.get("format"))
        if kind == "string" and "properties" in schema:
            # An object as text, without its keys that are not selected.
            return _text_of(self._object(place, schema), reader)
        return reader

    def _object(self, place: tuple[str, ...], schema: dict[str, Any]) -> ValueReader:
        properties = schema.get("properties", {})
        more = schema.get("additionalProperties", True)
        if not properties and more is True:
            return reader_of("object")
        known = {
            key: reader
            for key, part in properties.items()
            if (reader := self._selected((*place, "properties", key), part))
        }
        others = None
        # Where a key is not selected, those that come to be later are not either.
        if more is not False and len(known) == len(properties):
            part = more if isinstance(more, dict) else {}
            others = self._selected((*place, "properties", "*"), part)

        def read(value: object) -> dict[str, Any]:
            return {
                key: item
                if item is None or type(item) is reader.as_sent
                else reader.read(item)
                for key, item in read_object(value).items()
                if (reader := known.get(key, others))
            }

        return ValueReader(None, read)


def _array_of(reader: ValueReader) -> ValueReader:
    as_sent, read_item = reader

    def read(value: object) -> list[Any]:
        return [
            item if item is None or type(item) is as_sent else read_item(item)
            for item in read_array(value)
        ]

    return ValueReader(None, read)


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
