"""What the benchmarks ran on: in words, and naming no machine."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.programs import AIRBYTE_ENVIRONMENT, has_airbyte

_PACKAGES = ("tap-chartmogul-customers", "singer-sdk", "requests", "msgspec")
_CPUINFO = Path("/proc/cpuinfo")


def describe() -> dict[str, str]:
    """Describe machine, versions and date.

    Returns:
        What a reader of the results has to know, by its name.
    """
    return {
        "CPU": _cpu(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
        "airbyte-cdk": _airbyte_cdk() if has_airbyte() else "not installed",
        "date": datetime.now(UTC).date().isoformat(),
    }


def _cpu() -> str:
    if _CPUINFO.exists():
        for line in _CPUINFO.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def _airbyte_cdk() -> str:
    code = "import importlib.metadata as m; print(m.version('airbyte-cdk'), end='')"
    python = AIRBYTE_ENVIRONMENT / "bin" / "python"
    return subprocess.run(  # noqa: S603 - no part of the command comes from outside
        [python, "-c", code], capture_output=True, text=True, check=True
    ).stdout
