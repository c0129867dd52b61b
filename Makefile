# make run        the platform, from a bare checkout          make run PORT=8001
# make stop       stops it from another terminal
# make check      lint, types, import lines, migrations, house rules
# make test       every test, on real PostgreSQL and Valkey   make test ARGS="-k ledger"
# make soak NAME  the heavy versions, all or one              make soak ledger
# make bench NAME speed and memory, all or one                make bench latency
# make lock       requirements*.in into requirements*.txt, with hashes
# make clean      everything that was made, the data too

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.installed
TOOLS := $(VENV)/.installed-dev
PEERS := orchestrator_site/tests/peers
LOCK := $(BIN)/uv pip compile -q --no-config --only-binary :all: --generate-hashes --no-header --python-version 3.11

# `make soak ledger`: the second word is a name and no goal.
ifneq (,$(filter soak bench,$(firstword $(MAKECMDGOALS))))
NAME ?= $(wordlist 2,9,$(MAKECMDGOALS))
$(wordlist 2,9,$(MAKECMDGOALS)): ; @:
endif

.DEFAULT_GOAL := run
.PHONY: run stop install install-dev check test soak bench lock clean

run: $(RUNTIME)
	@$(BIN)/python -m orchestrator_site.supervisor run --with-parent

stop: $(RUNTIME)
	@$(BIN)/python -m orchestrator_site.supervisor stop

install: $(RUNTIME)

install-dev: $(TOOLS)

check: $(TOOLS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	DJANGO_SETTINGS_MODULE=orchestrator_site.settings.typecheck $(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(BIN)/python -m orchestrator_site.house_rules

# Several processes, since many tests wait; a run of some tests needs no more than one: `make test ARGS=... PROCESSES=3`.
# They start hundreds of Pythons, each of which would compile everything anew where bytecode may not be kept.
# The services of the tests are left running between runs by hand; here they end with the run.
PROCESSES ?= $(if $(ARGS),0,3)
test: export PYTHONDONTWRITEBYTECODE :=
test: $(TOOLS) test-peers
	@$(BIN)/python -m pytest -m "not soak" -n $(PROCESSES) $(ARGS); code=$$?; \
	$(BIN)/python -m orchestrator_site.embedded stop --test; exit $$code

.PHONY: test-peers
test-peers:
	@if [ -f $(PEERS)/package-lock.json ] && [ ! -d $(PEERS)/node_modules ]; then npm ci --ignore-scripts --no-fund --no-audit --prefix $(PEERS); fi
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || exit 0; \
	apt-get update -q && apt-get install -q -y --no-install-recommends chromium \
		|| echo "Chromium could not be installed; the tests in a browser will say so."

soak: $(TOOLS)
	$(BIN)/python -m benchmarks.soak $(NAME)
	@[ -n "$(NAME)" ] || { $(BIN)/python -m pytest -m soak; code=$$?; [ $$code = 0 ] || [ $$code = 5 ]; }

bench: $(TOOLS)
	$(BIN)/python -m benchmarks.run $(NAME)

lock: $(RUNTIME)
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) requirements-dev.in -o requirements-dev.txt

clean:
	-@[ ! -x $(BIN)/python ] || $(BIN)/python -m orchestrator_site.supervisor clean
	rm -rf $(VENV) var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(RUNTIME): requirements.txt
	@sh orchestrator_site/supervisor/install.sh $(PYTHON) $(VENV) requirements.txt
	@touch $@

$(TOOLS): requirements-dev.txt requirements.txt
	@sh orchestrator_site/supervisor/install.sh $(PYTHON) $(VENV) requirements-dev.txt
	@touch $(RUNTIME) $@
