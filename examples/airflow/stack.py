"""A whole Airflow on this machine, for as long as a test runs.

What it is to run, and on what data, is the test's concern.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psutil
import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

HERE = Path(__file__).parent
PROGRAM = HERE.parents[1] / ".venv-airflow/bin/airflow"
COMPONENTS = (
    ("api-server",),
    ("dag-processor",),
    ("scheduler", "--skip-serve-logs"),  # which would listen on every interface
)


class Airflow:
    """Airflow with the local executor and the DAGs beside this file.

    Args:
        home: An empty folder for its files and logs.
        database: SQLAlchemy's URL of an empty PostgreSQL database.
        environ: Environment variables for Airflow and its tasks.
    """

    def __init__(self, home: Path, database: str, environ: Mapping[str, str]) -> None:
        self._home = home
        self._components = contextlib.ExitStack()
        port = free_port()
        self._url = f"http://127.0.0.1:{port}"
        self._environ = {
            **environ,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "false",
            "AIRFLOW__CORE__DAGS_FOLDER": str(HERE / "dags"),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self._url}/execution/",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
            "AIRFLOW__CORE__PARALLELISM": "2",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "true",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
            # No run but those that the test asks for.
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "false",
        }

    def command(self, *arguments: str) -> None:
        """Run one of Airflow's own commands.

        Args:
            arguments: What comes after `airflow`.
        """
        done = subprocess.run(  # noqa: S603 - this project's own Airflow
            [PROGRAM, *arguments],
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            message = f"airflow {arguments[0]} failed:\n{done.stdout}"
            raise RuntimeError(message)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as starting:
            for component in COMPONENTS:
                starting.enter_context(self._running(*component))
            self._components = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._components.close()

    @contextlib.contextmanager
    def _running(self, name: str, *options: str) -> Iterator[None]:
        with (
            (self._home / f"{name}.log").open("wb") as log,
            subprocess.Popen(  # noqa: S603 - this project's own Airflow
                [PROGRAM, name, *options],
                env=self._environ,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            ) as process,
        ):
            try:
                yield
            finally:
                _stop(psutil.Process(process.pid))

    def trigger(self, dag_id: str) -> str:
        """Begin a run of a DAG.

        Args:
            dag_id: Which DAG.

        Returns:
            The run's path in Airflow's API.
        """
        dag = f"dags/{dag_id}"
        wait_until(lambda: self._is_up() and self._request("GET", dag).ok, 90)
        created = self._request("POST", f"{dag}/dagRuns", json={"logical_date": None})
        created.raise_for_status()
        return f"{dag}/dagRuns/{created.json()['dag_run_id']}"

    def wait_for(self, run: str) -> None:
        """Wait for the end of a run.

        Args:
            run: Its path in Airflow's API.
        """
        wait_until(lambda: self.get(run)["state"] in {"success", "failed"}, 180)

    def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """Read from Airflow's API.

        Args:
            path: What comes after `/api/v2/`.

        Returns:
            The answer's JSON.
        """
        answer = self._request("GET", path)
        answer.raise_for_status()
        return answer.json()

    def _is_up(self) -> bool:
        try:
            return requests.get(f"{self._url}/api/v2/version", timeout=5).ok
        except requests.ConnectionError:
            return False

    def _request(self, method: str, path: str, **arguments: Any) -> requests.Response:  # noqa: ANN401
        return requests.request(
            method,
            f"{self._url}/api/v2/{path}",
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=30,
            **arguments,
        )

    @cached_property
    def _token(self) -> str:
        answer = requests.get(f"{self._url}/auth/token", timeout=30)
        return str(answer.json()["access_token"])


def wait_until(done: Callable[[], bool], seconds: float) -> None:
    """Wait until something is so.

    Args:
        done: Whether it is.
        seconds: How long to wait at most.

    Raises:
        TimeoutError: If it is not so by then.
    """
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            message = f"still waiting after {seconds} s"
            raise TimeoutError(message)
        time.sleep(0.2)


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _stop(process: psutil.Process) -> None:
    family = [process, *process.children(recursive=True)]
    process.terminate()
    _, left = psutil.wait_procs(family, timeout=10)
    for survivor in left:
        survivor.kill()
