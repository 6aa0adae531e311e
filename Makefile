# One command to run (make run), one to prove (make test). Both set up what they need.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
SOURCES := src tests benchmarks scripts hatch_build.py

# Most tests wait for others most of the time: a server, a browser, a lease.
TEST_PROCESSES ?= 3

VENDORED := src/skubber/web/assets/vendor
CONSOLE := src/skubber/web/assets/console
NPM_CI := npm ci --ignore-scripts --no-audit --no-fund --loglevel=error

.PHONY: help run test soak check bench conformance docs screenshots fmt lock clean system-packages web-assets

help:
	@echo 'make run          start the server, with a demo app'
	@echo 'make test         run every check and test'
	@echo 'make soak         run the tests that take minutes'
	@echo 'make bench        measure (ARGS="fanout publish" for some)'
	@echo 'make conformance  run the Autobahn WebSocket test suite'
	@echo 'make docs         write the reference anew and build the documents as a site, in site/'
	@echo 'make screenshots  take the documents'\'' pictures of the console anew'
	@echo 'make fmt          format the code'
	@echo 'make lock         resolve the dependencies anew'

run: .venv/run.stamp web-assets
	$(BIN)/skubber serve $(ARGS)

test: system-packages .venv/test.stamp tests/clients/node_modules/.stamp web-assets check
	$(BIN)/pytest -n $(TEST_PROCESSES) --dist loadfile $(ARGS)

soak: .venv/test.stamp
	$(BIN)/pytest -m soak $(ARGS)

check: .venv/test.stamp
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/test.stamp
	$(BIN)/python benchmarks/run.py $(ARGS)

conformance: .venv/test.stamp
	$(BIN)/python tests/conformance/run.py

# NO_MKDOCS_2_WARNING: mkdocs-material tells of its own future otherwise.
docs: .venv/test.stamp
	for script in configuration_table command_line_reference error_reference http_api_reference realtime_reference; do \
		$(BIN)/python scripts/$$script.py || exit 1; done
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

screenshots: .venv/test.stamp tests/clients/node_modules/.stamp web-assets
	SKUBBER_SCREENSHOTS=1 $(BIN)/pytest tests/e2e/test_console.py -k every_page

fmt: .venv/test.stamp
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

LOCK := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links --no-annotate
lock: .venv/python.stamp
	$(BIN)/pip install -q uv
	$(LOCK) --group dev --all-extras pyproject.toml -o requirements-dev.lock
	$(LOCK) --group build pyproject.toml -c requirements-dev.lock -o requirements.lock
	$(LOCK) --all-extras pyproject.toml -c requirements-dev.lock -o requirements-container.lock

clean:
	rm -rf .venv site tests/clients/node_modules web-assets/node_modules console/node_modules $(VENDORED) $(CONSOLE) .mypy_cache .ruff_cache .pytest_cache .hypothesis benchmarks/bin

system-packages:
	@sh scripts/system_packages.sh

.venv/python.stamp:
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or newer is needed.' >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@touch $@

# The development lock holds everything of the other one: with it installed, running needs nothing more.
.venv/run.stamp: requirements.lock pyproject.toml .venv/python.stamp
	@if [ ! .venv/test.stamp -nt requirements.lock ]; then $(MAKE) --no-print-directory install LOCKFILE=requirements.lock; fi
	@touch $@

.venv/test.stamp: requirements-dev.lock pyproject.toml .venv/python.stamp
	@$(MAKE) --no-print-directory install LOCKFILE=requirements-dev.lock
	@touch $@

.PHONY: install
install:
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $(LOCKFILE)
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .

tests/clients/node_modules/.stamp: tests/clients/package-lock.json
	@if command -v npm >/dev/null; then cd tests/clients && npm ci --ignore-scripts --no-audit --no-fund; \
	elif [ -n "$$CI" ]; then echo 'npm is missing' >&2; exit 1; \
	else echo 'npm is missing: the tests with JavaScript clients will be skipped' >&2; mkdir -p tests/clients/node_modules; fi
	@touch $@

# What the pages have from npm: the demo page its SignalR client, the console all of itself. Where that cannot be had,
# the pages say what they lack.
web-assets: $(VENDORED)/signalr.min.js $(CONSOLE)/index.html

$(VENDORED)/signalr.min.js: web-assets/package-lock.json web-assets/signalr.LICENSE.txt
	@if command -v npm >/dev/null && (cd web-assets && $(NPM_CI)); then \
		mkdir -p $(VENDORED) && cd web-assets && \
		cp node_modules/@microsoft/signalr/dist/browser/signalr.min.js signalr.LICENSE.txt ../$(VENDORED)/; \
	elif [ -n "$$CI" ]; then echo 'npm is missing, or could not fetch the web assets' >&2; exit 1; \
	else echo 'npm is missing, or could not fetch it: the demo page will lack its SignalR client' >&2; fi

$(CONSOLE)/index.html: $(shell find console -path console/node_modules -prune -o -type f -print)
	@if command -v npm >/dev/null && (cd console && $(NPM_CI)); then \
		cd console && npm run --silent build; \
	elif [ -n "$$CI" ]; then echo 'npm is missing, or could not fetch what the console is built with' >&2; exit 1; \
	else echo 'npm is missing, or could not fetch it: there will be no console' >&2; fi
