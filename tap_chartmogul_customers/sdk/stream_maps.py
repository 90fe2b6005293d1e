"""Stream maps that take decimals, and say what is wrong with them: a private hook."""

from __future__ import annotations

import sys
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any

import simplejson
from simpleeval import InvalidExpression, ModuleWrapper
from singer_sdk import Tap
from singer_sdk.exceptions import MapExpressionError
from singer_sdk.mapper import CustomStreamMap

from tap_chartmogul_customers.validation import SettingsError

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable


class DecimalMaps(Tap):
    """A tap whose stream maps take a decimal wherever they take a float."""

    @override
    def setup_mapper(self) -> None:
        # Private: what evaluates expressions. Python's `json` writes no decimals, and
        # its operators do not mix them with floats.
        try:
            super().setup_mapper()
        except ValueError as error:
            # Names of columns that meet, of which the SDK does not say what made them.
            msg = (
                f"{error}. Change `flattening_max_key_length`, `flattening_separator` "
                "or `stream_maps`"
            )
            raise SettingsError([msg]) from error
        for stream_map in chain.from_iterable(self.mapper.stream_maps.values()):
            if isinstance(stream_map, CustomStreamMap):
                evaluator = stream_map.expr_evaluator
                evaluator.functions["json"] = ModuleWrapper(simplejson)
                evaluator.operators = {
                    node: _mixing(operator)
                    for node, operator in evaluator.operators.items()
                }
                evaluator.eval = _named(evaluator.eval)


def _named(evaluate: Callable[..., Any]) -> Callable[..., Any]:
    """Have an error name the expression, and show no value of a customer."""

    def apply(expression: str, **options: Any) -> Any:  # noqa: ANN401 (any value)
        try:
            return evaluate(expression, **options)
        except (InvalidExpression, SyntaxError):
            raise  # The SDK names it.
        except Exception as error:
            msg = f"Failed to evaluate {expression}: {type(error).__name__}"
            raise MapExpressionError(msg) from error

    return apply


def _mixing(operator: Callable[..., Any]) -> Callable[..., Any]:
    """Let an operator take a decimal beside a float, as the float nearest to it."""

    def apply(*values: Any) -> Any:  # noqa: ANN401 (any value of an expression)
        if any(isinstance(value, float) for value in values):
            values = tuple(
                float(value) if isinstance(value, Decimal) else value
                for value in values
            )
        return operator(*values)

    return apply
