"""How the body of an answer is decoded, also one with values that nobody can store."""

from __future__ import annotations

import json
import re
from decimal import Context, Decimal, InvalidOperation, Overflow, Rounded, Subnormal
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

DIGITS = 4300
"""How many digits a number may have, written out. Python, and so most targets, takes no
longer integer from text."""

DEPTH = 100
"""How deep lists and objects may be nested. For a page with nothing to mend there is
only Python's own limit, which is some hundreds, or thousands in later versions."""

FRAMES = 100
"""How many levels less than Python allows are decoded, so that whoever is as deep in
calls can encode them again, and a target read them."""

exact_number = Context(
    prec=DIGITS,
    Emax=DIGITS - 1,
    Emin=1 - DIGITS,
    traps=[InvalidOperation, Overflow, Rounded, Subnormal],
).create_decimal
"""Return the number in a text with all of its digits; ArithmeticError if too many."""

_NUL = rb"\u0000"
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_REPLACEMENT = "\ufffd"

_AS_TEXT = "\0as text\0"
"""What a text starts with that was another value, until it is mended."""

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.?)*+"?|[][{}]', re.DOTALL)


class MendedCustomer(dict[str, Any]):
    """A customer with a value that nobody could have stored as it was sent."""


class _Answer(Protocol):
    @property
    def entries(self) -> list[dict[str, Any]]: ...


_AnswerT = TypeVar("_AnswerT", bound=_Answer)
T = TypeVar("T")

UNCLEAN = (msgspec.DecodeError, ValueError, ArithmeticError, RecursionError)
"""What `decode_clean` raises where there is something to mend, or no page."""


def decode(body: bytes, decoder: msgspec.json.Decoder[_AnswerT]) -> _AnswerT:
    """Decode the body of an answer with customers.

    What is JSON, but cannot be stored, is mended, and its customer a `MendedCustomer`:
    U+FFFD takes the place of NUL in a text, and of what no UTF-8 can hold. A number
    with more than `DIGITS` becomes text, and so does what is nested over `DEPTH`.

    Args:
        body: JSON text, encoded in UTF-8.
        decoder: What decodes it if there is nothing to mend; decimals by
            `exact_number`.

    Returns:
        The answer, of the decoder's type.

    Raises:
        ValueError: The body is not JSON, or not all of it.
        msgspec.ValidationError: It is JSON, but of another type.
    """
    try:
        return decode_clean(body, decoder)
    except UNCLEAN:
        # Either there is something to mend, or the error comes again.
        pass
    sent = _parse(body)
    answer = msgspec.convert(_mended(sent), decoder.type)
    answer.entries[:] = [
        new if new == old else MendedCustomer(new)
        for old, new in zip(sent["entries"], answer.entries, strict=True)
    ]
    return answer


def decode_clean(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode the body of an answer in which there is nothing to mend.

    Args:
        body: JSON text, encoded in UTF-8.
        decoder: What decodes it; decimals by `exact_number`.

    Returns:
        What it decodes to.

    Raises:
        UNCLEAN: There is something to mend, or it is not what the decoder takes.
    """
    if body.rfind(_NUL) >= 0:  # Takes a third of the time of `find` here.
        msg = "NUL in a text"
        raise ValueError(msg)
    return _decode(body, decoder)


def _decode(body: bytes, decoder: msgspec.json.Decoder[T], frames: int = FRAMES) -> T:
    """Decode a body as if so many calls were on their way already."""
    if frames:
        return _decode(body, decoder, frames - 1)
    return decoder.decode(body)


def _parse(body: bytes) -> Any:  # noqa: ANN401 (any JSON value)
    """Parse JSON, whatever its values are."""
    text = body.decode("utf-8-sig", errors="surrogateescape")
    try:
        return json.loads(
            "".join(_flattened(text)),
            parse_int=_integer,
            parse_float=_decimal,
            parse_constant=_refuse,
            strict=False,
        )
    except (ValueError, RecursionError) as error:
        msg = f"not JSON: {error}"
        raise ValueError(msg) from error


def _flattened(text: str) -> Iterator[str]:
    """Put in text what is nested too deep in a JSON text."""
    depth = start = end = 0
    for token in _TOKEN.finditer(text):
        if token[0] in ("[", "{"):
            depth += 1
            if depth == DEPTH + 1:
                start = token.start()
        elif token[0] in ("]", "}"):
            if depth == DEPTH + 1:
                yield text[end:start]
                end = token.end()
                yield json.dumps(_AS_TEXT + text[start:end])
            depth -= 1
    yield text[end:]


def _integer(text: str) -> int | str:
    return int(text) if len(text.lstrip("-")) <= DIGITS else _AS_TEXT + text


def _decimal(text: str) -> Decimal | str:
    try:
        return exact_number(text)
    except ArithmeticError:
        return _AS_TEXT + text


def _refuse(text: str) -> NoReturn:
    msg = f"{text} is no number"
    raise ValueError(msg)


def _mended(value: Any) -> Any:  # noqa: ANN401 (any JSON value)
    if isinstance(value, str):
        return _UNSTORABLE.sub(_REPLACEMENT, value.removeprefix(_AS_TEXT))
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if not isinstance(value, dict):
        return value
    mended: dict[str, Any] = {}
    for key, item in value.items():
        name = _UNSTORABLE.sub(_REPLACEMENT, key)
        while name in mended:
            # No key may take the place of another.
            name += _REPLACEMENT
        mended[name] = _mended(item)
    return mended
