# The commands of this project; .ci/run calls the same ones. `make install test` is all that a clone needs.
# `make test PYTHON=python` runs them in an environment of your own.

PYTHON ?= .venv/bin/python
PYTEST = $(PYTHON) -m pytest -n auto

unexport PYTHONDONTWRITEBYTECODE  # pytest keeps the tests that it has made ready

.PHONY: install test fast slow lint floor coverage bench docs

install:  # an environment with all that tests need
	python3 -m venv .venv
	.venv/bin/python -m pip install --quiet -e '.[demo,test,test-agents]'

test:  # all tests but the campaigns
	$(PYTEST)

fast:  # unit tests: no server, browser, database or process
	$(PYTEST) -m unit

slow:  # the campaigns, every law with all its examples, and more damage
	$(PYTEST) -m slow
	FORKBOOK_FLIPS=1500 $(PYTEST) -m 'unit or long' --hypothesis-profile=full

lint:  # style and types, of tests not strictly
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) -m mypy --config-file tests/mypy.ini tests

floor:  # acts on the oldest LangGraph that is supported
	$(PYTHON) tests/environments.py 1.2.0 -n auto

coverage:  # which lines unit tests reach
	$(PYTEST) -m unit --cov=forkbook --cov-report=term:skip-covered

bench:  # ours beside LangGraph's
	$(PYTHON) tests/benchmarks

docs:  # the README's code, run
	$(PYTHON) -m pytest tests/test_readme.py
