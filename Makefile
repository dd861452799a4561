# make book  build the site, serve it, print its address     make site  build only, into _build/html
# make lab   open the chapters in JupyterLab                 make notebooks  run them, store their text outputs
# make test  everything that is tested                       make test-all  and what takes long or is rarely needed
# make bench time the operators against their rivals         make help  this list
# make chapters  write _toc.yml and README's list anew from book/chapters.yml
# TORCH_INDEX=address  take torch from another package index (PyTorch's own has CPU-only builds for Linux)
# PYTHON=python3.12    use another Python (3.11 to 3.13)
# LAB_FLAGS="--no-browser --port=9999"  what JupyterLab is to be told besides

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SUM := $(shell cat pyproject.toml book/pyproject.toml constraints.txt | cksum | cut -d' ' -f1)
# One environment that grows: what a reader needs, then what tests need, then what the rare tests need.
SITE := $(VENV)/.ready-site-$(SUM)
TEST := $(VENV)/.ready-test-$(SUM)
ZOO := $(VENV)/.ready-zoo-$(SUM)
INSTALL := $(BIN)/python .make/install.py --constraint constraints.txt
# Each chapter says when it is done. Jupyter Book's last words are two addresses that are not the site's.
BUILD = $(BIN)/jupyter-book build book --path-output . --config _config.yml --toc "$(CURDIR)/_toc.yml" -W --keep-going -q

# The book's tensors are small: a second thread only waits, and on a busy machine it waits long.
export OMP_NUM_THREADS ?= 1

.PHONY: help env site book lab notebooks chapters lint test test-all bench clean
help:
	@sed -n '1,8s/^# //p' Makefile

env: $(SITE)
$(SITE):
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if (3, 11) <= v < (3, 14) else "Python 3.11 to 3.13 is needed, %s is %s: try make PYTHON=python3.12" % (sys.executable, sys.version.split()[0]))'
	@echo "Making the environment in $(VENV): once, a few minutes. It takes 2 GB of disk, and 5 GB more where PyTorch brings CUDA."
	$(PYTHON) -m venv $(VENV)
	$(if $(TORCH_INDEX),$(INSTALL) --index-url $(TORCH_INDEX) --no-deps torch)
	$(INSTALL) --editable . --editable "book[site]"
	@PATH="$(abspath $(BIN)):$$PATH" ./postBuild
	@rm -f $(VENV)/.ready-* && touch $@
$(TEST): $(SITE)
	$(INSTALL) --editable "book[test]"
	@touch $@
$(ZOO): $(TEST)
	$(if $(TORCH_INDEX),$(INSTALL) --index-url $(TORCH_INDEX) --no-deps torchvision)
	$(INSTALL) --editable "book[zoo]"
	@touch $@

site: $(SITE)
	@$(BUILD) > /dev/null

book: site
	@$(BIN)/python -m hardtosoft.site.serve _build/html

lab: $(SITE)
	@$(BIN)/python -m hardtosoft.interactive.plotly
	$(BIN)/jupyter lab --notebook-dir=book --LabApp.default_url=/lab/tree/index.ipynb $(if $(filter 0,$(shell id -u)),--allow-root) $(LAB_FLAGS)

notebooks: $(SITE)
	$(BIN)/python -m hardtosoft.site.notebooks book/*.ipynb

# The sidebar and README's list, written anew from book/chapters.yml.
chapters: $(BOOK)
	$(BIN)/python -m hardtosoft.site.chapters

lint: $(TEST)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# Checks and build beside each other, then tests in several processes; tests/order_plugin.py says how many, and what shares one.
PYTEST = $(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadscope --no-loadscope-reorder
test: $(TEST)
	$(MAKE) --jobs=2 lint site
	$(PYTEST)

test-all: $(ZOO)
	$(MAKE) test
	$(PYTEST) -m rare tests $(wildcard tests/zoo)

bench: $(TEST)
	$(BIN)/python -m benchmarks.operators --json src/hardtosoft/data/operators.json

clean:
	rm -rf _build
