# make demo   train and compare a pose-net with and without SEAL, in a few minutes
# make test   run the tests
# Both build a virtual environment in $(VENV) first. To use an environment of your own
# (with your own torch, say): make demo VENV=/path/to/it

VENV ?= .venv
PYTHON ?= python3
DEMO_DIR ?= work_dirs/demo
INSTALLED = $(VENV)/.sealpose-installed

.PHONY: demo test lint install clean

demo: $(INSTALLED)
	DEMO_DIR=$(DEMO_DIR) DEMO_OPTIONS="$(DEMO_OPTIONS)" PYTHON=$(VENV)/bin/python \
	  bash tools/demo.sh

test: $(INSTALLED)
	$(VENV)/bin/python -m pytest

lint: $(INSTALLED)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/codespell

install: $(INSTALLED)

$(INSTALLED): setup.cfg requirements/constraints.txt
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	if $(VENV)/bin/python -c 'import torch' 2>/dev/null; \
	  then $(VENV)/bin/python -m pip install -e '.[dev]'; \
	  else $(VENV)/bin/python -m pip install -e '.[dev]' \
	    -c requirements/constraints.txt; fi
	touch $@

clean:
	rm -rf .venv $(DEMO_DIR)
