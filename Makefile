# `make demo` shows the tap at work, `make test` proves that it works. Both install what they need, into this folder alone.

PYTHON ?= python3

UV := .venv/bin/uv
MELTANO := .venv-meltano/bin/meltano

# Each is touched when its environment is complete, so that an interrupted install is done again.
DEV_READY := .venv/.ready
MELTANO_READY := .venv-meltano/.ready
PLUGINS_READY := .meltano/.ready
AIRFLOW_READY := .venv-airflow/.ready
BENCH_READY := .venv-bench/.ready
AIRBYTE_READY := .venv-airbyte/.ready
DLT_READY := .venv-dlt/.ready
DBT_READY := .venv-dbt/.ready
DBT_PLUGIN_READY := .meltano/utilities/.ready
DUCKDB_PLUGIN_READY := .meltano/loaders/.duckdb-ready

# Make exports an API_KEY of its own command line, so that the key stays out of the commands it prints and starts.
# An API_KEY that happens to be in the environment may belong to any other service, so it stays out.
ifneq ($(origin API_KEY),command line)
unexport API_KEY
endif

.PHONY: check install dev demo live test pages lint format soak model bench targets dbt history airflow airflow-install requirements clean

# What has to pass before a change is taken, here and on any other machine.
check: lint demo airflow dbt targets test pages

install: $(DEV_READY) $(PLUGINS_READY) .venv-targets/csv/.ready .venv-targets/singer-tools/.ready

dev: $(DEV_READY)

demo: install
	@.venv/bin/python -m sandbox.demo

# Is ChartMogul's API what the tap takes it for? `make live API_KEY=…` asks an account, a few dozen times, reading only.
live: $(DEV_READY)
	@.venv/bin/python -m sandbox.live

# Four at once, since some tests wait; a file stays together, since its tests share what is costly.
AT_ONCE := --numprocesses=4 --dist=loadfile --no-loadscope-reorder

PAGES := $(patsubst %,tests/pages/test_%.py,meltano clone pipe contributing)

# The tests start programs hundreds of times. Where Python is told to write no bytecode, each start would compile all that
# it imports.
test pages: export PYTHONDONTWRITEBYTECODE =

# Fails below the coverage in pyproject.toml too, and names the lines and branches that no test reached.
test: install
	.venv/bin/coverage erase
	.venv/bin/coverage run -m pytest $(AT_ONCE) $(addprefix --ignore=,$(PAGES))
	.venv/bin/coverage combine --quiet
	.venv/bin/coverage report

# What README and docs/ say, typed as their reader does, with all that they install: too slow for every `make test`.
pages: install
	.venv/bin/pytest $(AT_ONCE) $(PAGES)

lint: $(DEV_READY)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/deptry .

format: $(DEV_READY)
	.venv/bin/ruff check --fix --exit-zero .
	.venv/bin/ruff format .

$(DEV_READY): pyproject.toml requirements/uv.txt requirements/dev.txt
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15) and "Python 3.11 to 3.14 is needed: make PYTHON=python3.x")'
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --require-hashes --requirement requirements/uv.txt
	$(UV) pip install --quiet --python .venv/bin/python --require-hashes --requirement requirements/dev.txt
	$(UV) pip install --quiet --python .venv/bin/python --no-deps --editable .
	touch $@

# Meltano has an environment to itself, so that its requirements don't decide what the tap is tested with.
$(MELTANO_READY): requirements/meltano.txt $(DEV_READY)
	$(UV) venv --quiet --clear --python .venv/bin/python .venv-meltano
	$(UV) pip install --quiet --python .venv-meltano/bin/python --require-hashes --requirement requirements/meltano.txt
	touch $@

$(PLUGINS_READY): meltano.yml pyproject.toml requirements/dev.txt requirements/target-jsonl.txt \
		requirements/target-postgres.txt $(MELTANO_READY)
	$(MELTANO) install tap-chartmogul-customers target-jsonl target-postgres
	touch $@

$(DBT_PLUGIN_READY): meltano.yml requirements/dbt.txt $(MELTANO_READY)
	$(MELTANO) install utility dbt
	touch $@

$(DUCKDB_PLUGIN_READY): meltano.yml requirements/target-duckdb.txt $(MELTANO_READY)
	$(MELTANO) install loader target-duckdb
	touch $@

# Two to three minutes, Linux only: 200,000 customers, every tenth request failing, in memory that must not grow.
soak: install
	.venv/bin/python -m tests.soak

# Random runs that differ each time, over 100,000 of them; `make test` has a few that are always the same. What fails names
# its seed: `MODEL_FIRST=that MODEL_CHAINS=1` shows it again.
model: install
	MODEL_FIRST=$$(date +%s) MODEL_CHAINS=18000 .venv/bin/pytest --numprocesses=2 tests/parts/test_nobody_lost.py

# Up to 20 minutes on a quiet machine: what the tap costs, beside dlt and others, into docs/performance.md and README. FRACTION=0.2
# tries it on small accounts, whose figures say nothing.
bench: install $(AIRBYTE_READY) $(BENCH_READY) $(DLT_READY)
	.venv/bin/python -m benchmarks.measure $(FRACTION)
	.venv-bench/bin/python -m benchmarks.report

$(BENCH_READY) $(AIRBYTE_READY) $(DLT_READY) $(DBT_READY): .venv-%/.ready: requirements/%.txt $(DEV_READY)
	$(UV) venv --quiet --clear --python .venv/bin/python .venv-$*
	$(UV) pip install --quiet --python .venv-$*/bin/python --require-hashes --requirement $<
	touch $@

# The example in examples/dbt: its SQL, its tests and its answers, on PostgreSQL and DuckDB, over three days.
dbt: install $(DBT_READY) $(DBT_PLUGIN_READY) $(DUCKDB_PLUGIN_READY) $(BENCH_READY)
	.venv/bin/pytest --timeout=900 --numprocesses=2 --dist=loadfile examples/dbt

# An account lives for DAYS days, each loaded and built, and a picture shows what became of its MRR.
DAYS := 30
history: install $(DBT_READY) $(BENCH_READY)
	.venv/bin/python -m examples.dbt.history.run $(DAYS)
	.venv-bench/bin/python -m examples.dbt.history.plot

# Loads into every target of tests/targets, or into one: `make targets TARGET=csv`. It writes what it sees into
# docs/targets.md, and fails where that said something else.
TARGETS_READY := $(patsubst requirements/%.txt,.venv-%/.ready,$(wildcard requirements/targets/*.txt))

targets: install $(DUCKDB_PLUGIN_READY) $(TARGETS_READY)
	.venv/bin/python -m tests.targets $(TARGET)

$(TARGETS_READY): .venv-targets/%/.ready: requirements/targets/%.txt $(DEV_READY)
	$(UV) venv --quiet --clear --python .venv/bin/python .venv-targets/$*
	$(UV) pip sync --quiet --python .venv-targets/$*/bin/python --require-hashes $<
	touch $@

# The example on a real Airflow; too slow for every `make test`.
airflow: airflow-install
	.venv/bin/pytest examples/airflow

# What examples/airflow/README.md begins with.
airflow-install: install $(DBT_PLUGIN_READY) $(AIRFLOW_READY)

$(AIRFLOW_READY): requirements/airflow.txt $(DEV_READY)
	$(UV) venv --quiet --clear --python .venv/bin/python .venv-airflow
	$(UV) pip install --quiet --python .venv-airflow/bin/python --require-hashes --requirement requirements/airflow.txt
	touch $@

# Pins every environment anew, at the newest versions that pyproject.toml and requirements/*.in allow.
COMPILE := $(UV) pip compile --quiet --no-config --upgrade --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make requirements"

requirements: $(DEV_READY)
	$(COMPILE) --group dev pyproject.toml --output-file requirements/dev.txt
	set -e; for file in requirements/*.in requirements/targets/*.in; do \
		overrides=$${file%.in}.overrides; \
		$(COMPILE) $$file --output-file $${file%.in}.txt $$(test ! -f $$overrides || echo --overrides $$overrides); \
	done

# Takes away what make can make again: no key, no state, no log, nothing that was loaded but by the demo.
clean:
	rm -rf .venv .venv-* .meltano/.ready .meltano/extractors .meltano/loaders .meltano/utilities demo examples/dbt/target examples/dbt/logs
