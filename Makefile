# `make demo` and `make test` need python3 (3.11 or later, with venv) and nothing else; every other step follows.
#
# PYTHON=python3.12         another interpreter
# PIP_ARGS="..."            passed to every pip install, e.g. PIP_ARGS="--extra-index-url URL" for CPU wheels of torch

PYTHON   ?= python3
PIP_ARGS ?=
VENV     := .venv
BIN      := $(VENV)/bin
PIP      := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(PIP_ARGS)
RUN      := runs/demo

# Threads that wait for each other sleep instead of spinning: on a machine with other work, spinning makes training and
# tests several times slower.
export OMP_WAIT_POLICY ?= PASSIVE

# Tests that load OpenVINO, NNCF and ONNX Runtime run in a process of their own, at the same time: beside a thousand trainings
# in torch such a process has crashed inside native code. What it prints is shown at the end.
OTHER_RUNTIMES := tests/compression tests/bundle/runtimes tests/flows/test_shrink.py tests/flows/test_export.py \
    tests/flows/test_shrink_writing.py tests/flows/test_retrain_shrunk.py tests/core/test_telemetry.py

OTHER_OUT := $(VENV)/other-runtimes.txt
define TESTS
$(BIN)/python -m pytest $(OTHER_RUNTIMES) > $(OTHER_OUT) 2>&1 & other=$$!; \
$(BIN)/python -m pytest $(OTHER_RUNTIMES:%=--ignore=%); first=$$?; \
wait $$other; other=$$?; cat $(OTHER_OUT); test $$first -eq 0 -a $$other -eq 0
endef

.PHONY: help demo test check docs clean

help:
	@echo 'make demo    install, then the whole loop on the sample data: train, judge, shrink, serve, correct, retrain'
	@echo 'make test    install, then run the quick, offline tests'
	@echo 'make check   format, lint, types, then the tests: what has to pass before a change goes in'
	@echo 'make docs    write the generated tables of docs/ anew'
	@echo 'make clean   remove what the above made (the environment, caches, runs/demo)'

demo: $(VENV)/installed-demo
	$(BIN)/burnish check recipes/support.yaml
	rm -rf $(RUN)
	$(BIN)/burnish fit recipes/support.yaml --out $(RUN)
	$(BIN)/burnish predict $(RUN) \
	    "who is this shop in Rome that took 80 from me?" \
	    "new phone, now the app doesnt let me in" \
	    "moved to Leeds last week" \
	    "do you also sell fishing licences"
	@# exit code 3: no way keeps to the budget on this machine, which the table shows too
	rm -rf $(RUN)-small
	$(BIN)/burnish shrink $(RUN) data.train=samples/support_en.csv data.test=samples/support_en_test.csv \
	    --max-drop 6 || test $$? -eq 3
	$(BIN)/python examples/closed_loop.py $(RUN) --train samples/support_en.csv --test samples/support_en_test.csv \
	    --later samples/support_en_later.csv
	@echo
	@echo "The report, with pictures: $(CURDIR)/$(RUN)/report/report.html"

test: $(VENV)/installed-dev
	$(TESTS)

check: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(TESTS)

docs: $(VENV)/installed-train
	$(BIN)/python tools/tables.py

clean:
	rm -rf $(VENV) $(RUN) $(RUN)-small build dist src/burnish.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

# A file marks what is installed, so that the second call is quick; a change of versions installs again.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo 'Python 3.11 or later is needed; name one: make PYTHON=python3.12 ...' >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed-train: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e '.[train]'
	@touch $@

$(VENV)/installed-demo: $(VENV)/installed-train
	$(PIP) -e '.[train,serve,onnx,openvino]'
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed-train
	$(PIP) -e '.[train,serve,postgres,alerts,oidc,otel,remote,generate,faiss,image,speech,hub,onnx,openvino,tensorboard,wandb,mlflow,dev]'
	@touch $@
