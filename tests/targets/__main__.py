"""`make targets`: tries the targets, four at once, and writes `docs/targets.md`."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.targets.account import Account
from tests.targets.catalogue import TARGETS
from tests.targets.document import PATH, UNEXPLAINED, written
from tests.targets.scenarios import tried
from tests.targets.serving import servers


def main(names: list[str]) -> int:
    """Try these targets, or all; return 0 if the page said what was seen."""
    targets = [target for target in TARGETS if not names or target.name in names]
    page = new = PATH.read_text("utf-8")
    with TemporaryDirectory() as folder, servers, ThreadPoolExecutor(4) as pool:
        account = Account(Path(folder))
        tries = pool.map(partial(tried, account=account), targets)
        for target, seen in zip(targets, tries, strict=True):
            new = written(new, target, seen)
    PATH.write_text(new, "utf-8")
    if new == page and UNEXPLAINED not in page:
        sys.stdout.write(f"{len(targets)} targets as {PATH.name} has them.\n")
        return 0
    sys.stdout.write(
        f"{PATH.name} was something else, or has no reason for what was seen.\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
