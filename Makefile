# Two commands: `make demo` trains and asks a model on this machine, `make test` runs the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INSTALLED_FULL := $(VENV)/.installed-full
RECIPE := recipes/online_guide.yaml

.PHONY: docs demo test test-full lint clean help

help:
	@echo "make demo       set up, train recipes/online_guide.yaml here, ask the tuned model"
	@echo "make test       set up, run the tests (under 5 minutes)"
	@echo "make test-full  every test, the long ones included (under 60 minutes)"
	@echo "make docs       write docs/reference/ again from the code"
	@echo "make lint       ruff and mypy"
	@echo "make clean      remove the environment and the state of the example recipes"

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, found " + sys.version.split()[0] + ". Set PYTHON=/path/to/python3.11.")'
	@echo "Setting up $(VENV): a download of about 500 MB (1.6 GB installed) where pip finds a CPU build of"
	@echo "PyTorch, several GB where it finds a CUDA build. README.md says how to choose the CPU build."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[local,checks,evaluation,structured,tokens,dev]'
	@touch $@

docs: $(INSTALLED)
	$(BIN)/python scripts/make_reference.py

demo: $(INSTALLED)
	@BIN=$(BIN) RECIPE=$(RECIPE) sh scripts/demo.sh

test: $(INSTALLED)
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m "not long"

$(INSTALLED_FULL): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[all,trackers,qlora,ray]'
	@touch $@

test-full: $(INSTALLED_FULL)
	FINETUNE_TEST_FULL=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadfile

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) .finetune
