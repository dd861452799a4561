# make book  build the site, serve it, print its address     make site  build only, into _build/html
# make test  everything that is tested                       make help  this list
# make lab   open the chapters in JupyterLab                 make notebooks  run them, store their text outputs
# make bench time the operators against their rivals
# TORCH_INDEX=address  take torch from another package index (PyTorch's own has CPU-only builds for Linux)
# PYTHON=python3.12    use another Python (3.11 to 3.13)

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready-$(shell cat pyproject.toml constraints.txt | cksum | cut -d' ' -f1)
BUILD = $(BIN)/jupyter-book build book --path-output . --config _config.yml --toc "$(CURDIR)/_toc.yml" -W --keep-going

# The book's tensors are small: a second thread only waits, and on a busy machine it waits long.
export OMP_NUM_THREADS ?= 1

.PHONY: help env site book lab notebooks lint test bench clean
help:
	@sed -n '1,6s/^# //p' Makefile

env: $(READY)
$(READY):
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if (3, 11) <= v < (3, 14) else "Python 3.11 to 3.13 is needed, %s is %s: try make PYTHON=python3.12" % (sys.executable, sys.version.split()[0]))'
	@echo "Making the environment in $(VENV) (once; a few minutes, most of it torch) ..."
	$(PYTHON) -m venv $(VENV)
	$(if $(TORCH_INDEX),$(BIN)/python -m pip install --constraint constraints.txt --index-url $(TORCH_INDEX) --no-deps torch)
	$(BIN)/python -m pip install --constraint constraints.txt --editable ".[test]"
	@rm -f $(VENV)/.ready-* && touch $@

site: $(READY)
	$(BUILD)

book: site
	@$(BIN)/python -m hardtosoft.site.serve _build/html

lab: $(READY)
	@$(BIN)/python -m hardtosoft.interactive.plotly
	$(BIN)/jupyter lab --notebook-dir=book

notebooks: $(READY)
	$(BIN)/python -m hardtosoft.site.notebooks book/*.ipynb

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# Checks and build beside each other, then tests in several processes; tests/order_plugin.py says how many, and what shares one.
test: $(READY)
	$(MAKE) --jobs=2 lint site
	$(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadscope --no-loadscope-reorder

bench: $(READY)
	$(BIN)/python -m benchmarks.operators --json src/hardtosoft/data/operators.json

clean:
	rm -rf _build
