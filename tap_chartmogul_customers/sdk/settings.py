"""Settings that are checked in full, with errors that name them: private hooks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from singer_sdk import Tap
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.helpers._batch import BatchConfig
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.plugin_base import _ConfigInput

from tap_chartmogul_customers.files import read_object
from tap_chartmogul_customers.validation import SettingsError, normalize, problems

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    import click

_WORDS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


class CheckedSettings(Tap):
    """A tap whose settings are checked in full before the first request."""

    @classmethod
    @override
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> _ConfigInput:
        # Private: the SDK ends with a traceback when a file is not a JSON object.
        config: dict[str, Any] = {}
        for path in value:
            if path != "ENV":
                config |= read_object(path, "config")
        return _ConfigInput(config, parse_env="ENV" in value)

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        super().append_builtin_config(config_jsonschema)
        config_jsonschema["properties"]["flattening_max_depth"]["minimum"] = 0
        _drop_broken_forms(config_jsonschema)

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805 (as in the SDK)
        # Private: an error of the SDK's does not name the setting, and whatever it
        # does not know is false.
        cls.append_builtin_config(cls.config_jsonschema)
        settings = cls.config_jsonschema["properties"]
        texts = {"properties": {name: {"type": "string"} for name in settings}}
        config: dict[str, Any] = parse_environment_config(texts, cls._env_var_prefix)
        for name, text in config.items():
            if "boolean" in settings[name]["type"]:
                config[name] = _WORDS.get(text.lower(), text)
        return config

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        # Private: the SDK has no hook for further checks, shows the value of a wrong
        # setting, even of the key, and checks nothing before discovery, which needs
        # no key unless it reads a sample.
        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        normalize(self._config, schema)
        asks = raise_errors or bool(self._config.get("custom_attributes_sample_size"))
        if found := list(problems(self._config, schema, complete=asks)):
            raise SettingsError(found)
        if batches := self._config.get("batch_config"):
            _check_batches(batches)
        return []


def _drop_broken_forms(schema: object) -> None:
    # The SDK's schema of `__else__` has the word "null" among its forms, over which the
    # validator breaks down.
    if not isinstance(schema, dict):
        return
    if forms := schema.get("anyOf"):
        schema["anyOf"] = [form for form in forms if isinstance(form, dict)]
    for part in [*schema.values(), *schema.get("anyOf", [])]:
        _drop_broken_forms(part)


def _check_batches(config: dict[str, Any]) -> None:
    # Private: the SDK would find out in the middle of a run, or write no batch.
    try:
        size: object = BatchConfig.from_dict(config).batch_size
        right = isinstance(size, int) and size > 0
    except TypeError:
        right = False
    if not right:
        msg = (
            "The setting `batch_config` must hold `encoding` with `format` and "
            "`compression`, `storage` with `root`, and no other than `prefix` in it; "
            "beside them at most `batch_size`, an integer above 0"
        )
        raise SettingsError([msg])
