"""Settings that are checked in full, with errors that name them: private hooks."""

from __future__ import annotations

import sys
from typing import Any

from singer_sdk import Tap
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers._classproperty import classproperty

from tap_chartmogul_customers import settings

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override


class CheckedSettings(Tap):
    """A tap whose settings are checked in full before the first request."""

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805 (as in the SDK)
        # Private: an error of the SDK's does not name the setting.
        cls.append_builtin_config(cls.config_jsonschema)
        config: dict[str, Any] = {}
        for name, setting in cls.config_jsonschema["properties"].items():
            schema = {"properties": {name: setting}}
            try:
                config |= parse_environment_config(schema, cls._env_var_prefix)
            except ValueError as error:
                msg = "Config validation failed"
                problem = f"{name!r} in the environment cannot be read: {error}"
                raise ConfigValidationError(msg, errors=[problem]) from error
        return config

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        # Private: the SDK has no hook for further checks, shows the value of a wrong
        # setting, even of the key, and leaves numbers of the environment as text.
        settings.numbers_from_text(self._config)
        schema = None
        try:
            errors = super()._validate_config(raise_errors=raise_errors)
        except ConfigValidationError as error:
            errors, schema = error.errors, error.schema
        if key := self._config.get("api_key"):
            errors = [error.replace(repr(key), "its value") for error in errors]
        errors += settings.problems(self._config)
        if errors and raise_errors:
            msg = "Config validation failed"
            raise ConfigValidationError(msg, errors=errors, schema=schema)
        return errors
