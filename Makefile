# Every target sets up what it needs: a virtual environment that holds the built wheel, not the checkout.
# Needs CPython 3.11 or newer with venv and pip, and make.

PYTHON ?= python3
VENV ?= .venv
EXTRAS ?= test,lint,docs,report,browser
PYTEST_ARGS ?=
# Processes that share the tests.
WORKERS ?= auto
# A part of the tests cannot reach the floor for coverage, so it is asked for only when all of them run.
COVERAGE ?= $(if $(strip $(PYTEST_ARGS)),,--cov --cov-report=term:skip-covered)
BENCH_ARGS ?=
FUZZ_SECONDS ?= 600
FUZZ_ARGS ?=
SOURCE ?=
OUTPUT ?= $(BUILD)/fixture.npz
# What was named stays; what was not is made again.
FIXTURE_FORCE := $(if $(filter file,$(origin OUTPUT)),--force)

BUILD := build
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
READY := $(VENV)/.installed
RUN1084_LIKE := $(BUILD)/run1084_like.npz
# The folders themselves are listed too: a file that was deleted must leave the wheel.
SOURCES := pyproject.toml README.md LICENSE $(shell find src contracts validator generator -name __pycache__ -prune \
	-o \( -type d -o -name '*.py' -o -name '*.json' -o -name '*.j2' -o -name '*.css' \
	-o -name py.typed \) -print 2>/dev/null)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: help venv wheel demo test test-long lint types docs pages drift bench fuzz fixture clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: $(READY) ## set up the virtual environment (PYTHON=python3, VENV=.venv)

wheel: $(BUILD)/.wheel ## build the wheel into build/wheel

demo: $(READY) ## a legacy file is made, refused, mended and accepted
	PATH="$(abspath $(BIN)):$$PATH" docs/demo.sh $(BUILD)

test: $(READY) ## run the tests against the wheel (PYTEST_ARGS=...)
	$(BIN)/pytest -n $(WORKERS) $(COVERAGE) $(PYTEST_ARGS)

test-long: $(READY) ## the same with many more examples, and the slow tests
	$(BIN)/pytest -n $(WORKERS) -m "" --hypothesis-profile=long $(PYTEST_ARGS)

lint: $(READY) ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## mypy --strict on the installed packages, then on the scripts here
	$(BIN)/mypy --strict -p npzschema
	$(BIN)/mypy --strict docs/build_pages.py tests/project

# The variable silences an advertisement of mkdocs-material; it changes nothing else.
docs: pages ## regenerate the pages of rules and contracts, then build the site into build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

pages: $(READY)
	$(BIN)/python docs/build_pages.py

drift: $(READY) ## fail where the committed pages differ from the JSON they come from
	$(BIN)/python docs/build_pages.py --check

# In an environment as users have it: what tests install would be loaded, and measured, too.
bench: ## speed and memory, side by side with plain numpy (BENCH_ARGS=...)
	$(MAKE) venv VENV=.venv-bench EXTRAS=bench
	.venv-bench/bin/python benchmarks/run.py --page docs/benchmarks.md --suite $(BUILD)/benchmarks.json $(BENCH_ARGS)

# Where atheris cannot be installed, the fuzzer says so and stops.
fuzz: $(READY) ## fuzz reader and contract loader (FUZZ_SECONDS=600; FUZZ_ARGS=targets)
	-@set -- $(BUILD)/wheel/*.whl && $(PIP) install --quiet "$$1[fuzz]"
	$(BIN)/python -m tests.fuzz.run $(FUZZ_SECONDS) $(FUZZ_ARGS)

fixture: $(READY) ## cut a small dataset for tests (SOURCE=scan.npz OUTPUT=fixture.npz)
ifeq ($(strip $(SOURCE)),)
	$(BIN)/generate-npz simulate --force --contract ptychopinn/legacy-hwn --positions 1087 --size 64 \
		--object-shape 227x226 --output $(RUN1084_LIKE)
	$(BIN)/generate-npz fixture $(FIXTURE_FORCE) --source $(RUN1084_LIKE) --output "$(OUTPUT)"
else
	$(BIN)/generate-npz fixture $(FIXTURE_FORCE) --source "$(SOURCE)" --output "$(OUTPUT)"
endif

clean: ## remove everything that make has made
	rm -rf .venv .venv-* $(BUILD) *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.made: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("npzschema needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet 'setuptools>=77'
	@touch $@

# setuptools leaves build/lib behind; the next wheel would hold what has been deleted since.
$(BUILD)/.wheel: $(VENV)/.made $(SOURCES)
	@rm -rf $(BUILD)/lib $(BUILD)/bdist.* $(BUILD)/wheel
	$(PIP) wheel --quiet --no-deps --no-build-isolation --wheel-dir $(BUILD)/wheel .
	@rm -rf $(BUILD)/lib $(BUILD)/bdist.*
	@touch $@

$(VENV)/.extras: $(VENV)/.made | $(BUILD)/.wheel
	set -- $(BUILD)/wheel/*.whl && $(PIP) install --quiet "$$1$(if $(strip $(EXTRAS)),[$(EXTRAS)])"
	@touch $@

$(READY): $(BUILD)/.wheel $(VENV)/.extras
	$(PIP) install --quiet --force-reinstall --no-deps $(BUILD)/wheel/*.whl
	@touch $@
