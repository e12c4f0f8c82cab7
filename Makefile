PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test quick check fix lock dist docs clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## create .venv and install everything, at the versions of constraints.txt

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,docs]'
	@touch $@

demo: $(STAMP) ## import, train, serve, send signed webhooks, show the labels (ISSUES=FILE REPO=OWNER/NAME for your own)
	$(BIN)/issue-tagger demo $(if $(ISSUES),--issues '$(ISSUES)') $(if $(REPO),--repo '$(REPO)')

test: $(STAMP) ## run the whole test suite, in as many processes as there are cores (WORKERS=N)
	$(BIN)/python -m pytest -n $(or $(WORKERS),auto) --dist worksteal

quick: $(STAMP) ## run the tests that take moments
	$(BIN)/python -m pytest -m 'not slow'

check: $(STAMP) ## formatting, lint, types, known weaknesses of dependencies
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python .ci/audit

fix: $(STAMP) ## format and repair what a machine can repair
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(STAMP) ## write the installed versions to constraints.txt, and their hashes to requirements.lock
	$(BIN)/python -m pip freeze --exclude-editable | sed 's/+cpu$$//' | grep -v '^issue-tagger' > constraints.txt
	$(BIN)/uv pip compile pyproject.toml --quiet --extra dev --extra docs --constraint constraints.txt --universal \
		--python-version 3.11.5 --generate-hashes --no-annotate --custom-compile-command 'make lock' \
		--output-file requirements.lock

dist: $(STAMP) ## build the wheel and the sdist into dist/; twice gives the same bytes
	$(BIN)/uv build --quiet --clear --out-dir dist

docs: $(STAMP) ## build the documentation's site into var/docs; a warning is an error
	NO_MKDOCS_2_WARNING=1 PYTHONPATH=. $(BIN)/mkdocs build --quiet --strict --config-file docs/site/mkdocs.yml

clean: ## remove the environment and caches (never data/)
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis
