"""`python -m tests.mutants [MODULE …]`: breaks the tap in many small ways, in a copy.

Cosmic Ray makes the mutants of each module, one at a time, and runs the tests of that
module until one fails. What none of them notices is shown at the end; `mutants.md`
explains it. A session that was interrupted is resumed, and survivors are tried anew.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
COPY = ROOT / "mutants"
BIN = ROOT / ".venv-mutants" / "bin"

PACKAGE = "tap_chartmogul_customers"

TESTS: dict[str, str] = {
    "settings": "test_docs test_settings",
    "validation": "test_settings",
    "stream_maps": (
        "test_settings::test_a_wrong_stream_map_is_named "
        "test_settings::test_a_stream_map_of_the_stream_is_taken"
    ),
    "files": "test_config_files",
    "output": "test_output test_signals::test_a_signal_before_the_first_page",
    "tap": (
        "test_config_files "
        "test_resume::test_a_damaged_or_foreign_state_costs_no_record "
        "test_resume::test_keeps_of_a_state_what_this_tap_wrote_and_no_more "
        "test_resume::test_resumes_at_the_page_that_failed "
        "test_parallel::test_says_which_boundary_was_refused "
        "test_custom_attributes::test_discovery_reads_as_many_customers_as_it_is_told "
        "test_custom_attributes::test_discovery_reads_none_when_it_is_off "
        "test_custom_attributes::test_a_catalog_is_used_as_it_is"
    ),
    "client": (
        "test_paging test_refusals test_cli::test_says_who_asks "
        "test_faults::test_does_not_try_again_after_a_refusal "
        "test_faults::test_tries_again_after_a_status_that_may_pass "
        "test_faults::test_gives_up_after_as_many_retries_as_it_may_make "
        "test_faults::test_says_which_try_comes_next "
        "test_resume::test_reads_all_of_it_when_the_service_refuses_the_cursor "
        "test_resume::test_a_refusal_that_is_not_about_the_cursor_ends_the_run "
        "test_resume::"
        "test_a_refusal_of_a_later_page_is_not_about_the_cursor_of_the_state "
        "test_parallel::test_says_which_boundary_was_refused "
        "test_parallel::test_every_range_waits_when_the_service_asks_one_to"
    ),
    "streams": (
        "test_streams "
        "test_progress::test_a_run_says_it_after_each_page_if_it_is_time_to "
        "test_deletes::test_sends_no_version_unless_asked_to "
        "test_deletes::test_activates_nothing_after_a_read_that_found_no_customer "
        "test_cli::test_a_catalog_cannot_make_the_read_incremental "
        "test_cli::test_a_column_that_a_catalog_does_not_know_is_left_out "
        "test_resume::test_a_damaged_unfinished_sync_costs_no_record "
        "test_resume::test_starts_over_when_the_unfinished_sync_does_not_fit "
        "test_batches::test_batches_hold_what_records_would "
        "test_custom_attributes::test_discovery_reads_as_many_customers_as_it_is_told "
        "test_custom_attributes::"
        "test_values_that_do_not_fit_are_counted_at_the_end_of_a_run"
    ),
    "pagination": "test_pagination test_paging",
    "errors": "test_refusals test_faults",
    "__main__": (
        "test_log test_settings::test_a_wrong_stream_map_is_named "
        "test_settings::test_a_wrong_setting_ends_the_run_in_one_line_that_names_it "
        "test_config_files::test_a_file_that_cannot_be_read_ends_the_run_in_one_line "
        "test_signals::test_a_signal_before_the_first_page "
        "test_cli::test_shows_a_traceback_at_debug_level_only "
        "test_standard_streams::"
        "test_standard_output_that_takes_nothing_is_said_in_one_line "
        "test_standard_streams::"
        "test_no_connection_takes_the_number_of_a_stream_that_is_closed"
    ),
    "api/body": "test_bodies test_typed::"
    "test_the_customers_of_the_service_are_decoded_into_columns",
    "api/connections": (
        "test_deadlines::test_a_try_without_any_time_left_is_given_up "
        "test_deadlines::test_looking_up_a_host_is_given_up_and_not_gone_on_with "
        "test_deadlines::test_all_addresses_of_a_host_have_one_time_out "
        "test_deadlines::test_what_was_spent_before_is_not_granted_again "
        "test_connections test_answers::test_interim_answers_are_skipped "
        "test_deadlines::test_an_answer_that_drips_is_given_up[chunks] "
        "test_deadlines::test_a_tls_handshake_that_drips_is_given_up "
        "test_deadlines::test_a_proxy_that_drips_is_given_up "
        "test_deadlines::test_a_try_that_is_given_up_leaves_no_connection "
        "test_proxies::test_a_proxy_is_told_its_own_user_and_password"
    ),
    "api/failures": (
        "test_connections "
        "test_answers::test_tries_again_after_bytes_that_are_no_answer[nothing] "
        "test_answers::test_tries_again_after_bytes_that_are_no_answer[SSH] "
        "test_certificates test_proxies"
    ),
    "api/masking": "test_masking",
    "api/pace": "test_pace",
    "api/retries": "test_retries test_faults",
    "api/session": (
        "test_refusals::"
        "test_no_more_is_read_of_the_body_of_an_error_than_can_be_of_use "
        "test_connections test_refusals::test_does_not_follow_a_redirect "
        "test_refusals::test_the_message_of_an_error_may_come_in_pieces "
        "test_refusals::test_the_status_of_an_error_counts_whatever_its_body_is "
        "test_answers::test_tries_again_after_bytes_that_are_no_answer[nothing] "
        "test_answers::test_an_answer_that_unpacks_to_gigabytes_is_not_unpacked "
        "test_deadlines::test_the_body_of_an_error_may_drip "
        "test_deadlines::test_a_try_that_is_given_up_leaves_no_connection "
        "test_proxies::test_a_key_in_the_clear_goes_to_no_proxy "
        "test_proxies::test_a_proxy_is_told_its_own_user_and_password"
    ),
    "records/column_names": "test_column_names test_custom_attributes",
    "records/custom_attributes": "test_custom_attributes",
    "records/notices": "test_records",
    "records/reader": "test_records",
    "records/typed": "test_typed",
    "records/schema": "test_schema test_records",
    "records/values": "test_flattening::test_limits_depth_exactly test_records "
    "test_schema::test_what_is_in_an_address_is_text",
    "sdk/batches": "test_batches",
    "sdk/log": "test_log",
    "sdk/messages": (
        "test_sdk test_cli::test_leaves_out_deselected_columns_alone "
        "test_cli::test_tests_the_connection_with_one_record "
        "test_cli::test_sums_up_at_the_end_and_logs_no_line_for_each_request "
        "test_deletes::test_activates_the_version_once_after_the_last_record "
        "test_deletes::"
        "test_activates_no_stream_that_a_stream_map_left_without_a_record "
        "test_batches::test_batches_hold_what_records_would "
        "test_resume::test_a_sync_that_changes_no_state_loses_no_record"
    ),
    "sdk/records": "test_flattening",
    "sdk/settings": "test_settings test_config_files",
    "sdk/signals": (
        "test_signals::test_a_signal_ends_a_tap_with_another_writer "
        "test_signals::test_a_signal_before_the_first_page"
    ),
    "sdk/stream_maps": "test_stream_maps test_flattening::"
    "test_two_columns_of_one_name_end_the_run_before_the_first_request",
    "sync/progress": "test_progress",
    "sync/ranges": "test_ranges test_unfinished test_readers",
    "sync/readers": "test_readers",
    "sync/resume": "test_unfinished test_ranges",
    "sync/state": "test_ranges test_unfinished",
}
"""For each module the tests that a mutant of it runs, the quick ones first; a file, or
one of its tests, as `test_cli::test_discovers_the_stream_without_a_key`."""

CONFIG = """\
[cosmic-ray]
module-path = "{module}"
timeout = 600
excluded-modules = []
test-command = "{command}"

[cosmic-ray.distributor]
name = "local"

[cosmic-ray.filters.operators-filter]
# One other operator for each: a test that notices it notices the rest. Most of `|`
# stands in types, and of `**` in parameters.
exclude-operators = [
  "core/ReplaceBinaryOperator_(?!Add_Sub|Sub_Add|Mul_Add|Div_Mul|FloorDiv_Mul|Mod_Add)",
]
"""

PYTEST = [
    *("--exitfirst", "--quiet", "--no-header", "-pno:cacheprovider"),
    # Seconds for a test, also for one that hangs where Python runs no signal handler.
    *("-ofaulthandler_timeout=30", "-ofaulthandler_exit_on_timeout=true"),
    # How two pages differ takes a minute to say.
    "--assert=plain",
]

SOCKET = "warm.socket"

WARM = [sys.executable, "-S", "tests/warm.py", SOCKET]


def copy() -> None:
    """Copy what the tests need, but for the sessions of earlier runs."""
    for path in COPY.iterdir() if COPY.exists() else []:
        if path.name != "sessions":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    (COPY / "sessions").mkdir(parents=True, exist_ok=True)
    kept = shutil.ignore_patterns("__pycache__")
    for name in (PACKAGE, "tests", "sandbox", "benchmarks", "examples", "docs"):
        shutil.copytree(ROOT / name, COPY / name, ignore=kept)
    for path in ROOT.iterdir():
        if path.suffix in {".md", ".toml", ".yml"}:
            shutil.copy(path, COPY)
    for path in (COPY / PACKAGE).rglob("*.py"):
        path.write_text(stripped(path.read_text("utf-8")), "utf-8")


def stripped(source: str) -> str:
    """Leave out what does nothing at run time: `override`, and imports for types."""
    tree = ast.parse(source)
    gone: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) in {
            "TYPE_CHECKING",
            "sys.version_info >= (3, 12)",
        }:
            gone.update(range(node.lineno, (node.end_lineno or 0) + 1))
        for decorator in getattr(node, "decorator_list", []):
            if ast.unparse(decorator) == "override":
                gone.add(decorator.lineno)
    lines = source.splitlines(keepends=True)
    return "".join(line for number, line in enumerate(lines, 1) if number not in gone)


def cosmic(*command: str, seconds: float | None = None) -> str:
    """Run one of Cosmic Ray's programs in the copy, and return what it printed."""
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=COPY,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=seconds,
    )
    return done.stdout


def tests_of(module: str) -> list[str]:
    """Return what pytest is to run of a module's tests."""
    names = [name.partition("::") for name in TESTS[module].split()]
    return [f"tests/{file}.py{colons}{test}" for file, colons, test in names]


def session_of(module: str) -> tuple[str, str]:
    """Return the configuration and the session of a module, made if need be."""
    path = f"{PACKAGE}/{module}.py"
    name = f"sessions/{module.replace('/', '.')}"
    command = " ".join([*WARM, *PYTEST, *tests_of(module)])
    config = f"{name}.toml"
    (COPY / config).write_text(CONFIG.format(module=path, command=command), "utf-8")
    source = hashlib.sha256((COPY / path).read_bytes()).hexdigest()[:16]
    session = f"{name}.{source}.sqlite"
    if (COPY / session).exists():
        change(session, "DELETE FROM work_results WHERE test_outcome = 'SURVIVED'")
    else:
        cosmic("cosmic-ray", "init", config, session)
    cosmic("cr-filter-operators", session, config)
    return config, session


def change(session: str, statement: str) -> list[tuple[str, int]]:
    """Run an SQL statement on a session, and return the rows."""
    database = sqlite3.connect(COPY / session)
    with database:
        rows = database.execute(statement).fetchall()
    database.close()
    return rows


def attack(module: str, deadline: float) -> None:
    """Run the tests of a module on each of its mutants, and show what survived."""
    tests = [*WARM, *PYTEST, *tests_of(module)]
    if subprocess.run(tests, cwd=COPY, check=False).returncode:
        sys.exit(f"The tests of {module} fail without a mutant: see mutants/tests.log")
    config, session = session_of(module)
    left = max(1, deadline - time.monotonic())
    try:
        cosmic("cosmic-ray", "exec", config, session, seconds=left)
    finally:
        counts = change(
            session,
            "SELECT coalesce(test_outcome, worker_outcome), count(*) FROM work_items "
            "LEFT JOIN work_results USING (job_id) GROUP BY 1 ORDER BY 1",
        )
        sums = ", ".join(f"{kind or 'to do'}: {count}" for kind, count in counts)
        survivors = cosmic("cr-report", "--surviving-only", "--show-diff", session)
        sys.stdout.write(f"\n{module}: {sums}\n{survivors}")
        sys.stdout.flush()


def main() -> None:
    """Attack the modules of the command line, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="such as api/pace")
    parser.add_argument("--minutes", type=float, default=600, help="stop after these")
    options = parser.parse_args()
    deadline = time.monotonic() + options.minutes * 60
    modules = options.modules or list(TESTS)
    copy()
    # So that the tests are compiled once, and no mutant is.
    pytest = [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider"]
    needed = sorted({test for module in modules for test in tests_of(module)})
    collect = [*pytest, "--collect-only", *needed]
    subprocess.run(collect, cwd=COPY, check=True, stdout=subprocess.DEVNULL)
    for folder in (COPY / PACKAGE).rglob("__pycache__"):
        shutil.rmtree(folder)
    with (COPY / "tests.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.warm", SOCKET],
            cwd=COPY,
            env=os.environ | {"PYTHONPATH": str(COPY)},
            stdout=log,
            stderr=log,
        )
    try:
        while not (COPY / SOCKET).exists():
            time.sleep(0.1)
            if server.poll() is not None:
                sys.exit("No tests can be run: see mutants/tests.log")
        for module in modules:
            attack(module, deadline)
    except subprocess.TimeoutExpired:
        sys.exit("Stopped by time; the same command resumes")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
