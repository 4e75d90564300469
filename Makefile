# The verbs of this repository; CI calls `make test` and nothing else.
.DEFAULT_GOAL := help
.PHONY: help demo serve gateway engines bench bench-u2net bench-soak bench-start bench-client load perf-analyzer training test test-faults test-slow test-installs test-gpu-script test-training check format dashboards lock clean
SHELL := /bin/bash

PYTHON ?= python3
PRECISION ?= auto
VENV := .venv
TRAINING := .venv-training
TORCH ?= torch==2.13.0
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
UV_COMPILE = $(BIN)/uv pip compile --quiet --no-header --no-annotate --no-config --universal --python-version 3.11 --generate-hashes

help:  ## This list.
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 17

demo: $(VENV)/runtime  ## Cut out the sample photographs with a real Triton; results in out/.
	@$(BIN)/alphacut build
	@$(BIN)/alphacut demo

serve: $(VENV)/runtime  ## Run an embedded Triton, the HTTP gateway and its web page until Ctrl-C; prints both addresses.
	@$(BIN)/alphacut build --tier all
	@exec $(BIN)/alphacut gateway

gateway: serve  ## The same as serve.

engines: $(VENV)/runtime  ## Build the CPU engines of the bundled model, all tiers, into model_repository/.
	@$(BIN)/alphacut build --tier all

bench: $(VENV)/loadtest  ## Compare with rembg and the bare engine; make bench ARGS=--quick takes a minute. Results in out/bench/.
	@$(BIN)/alphacut build --precision $(PRECISION)
	@$(BIN)/alphacut bench $(ARGS)

bench-u2net: $(VENV)/loadtest  ## The same with full U²-Net, widened from the bundled weights; the first time it calibrates, a quarter of an hour.
	@$(BIN)/alphacut bench u2net --precision $(PRECISION) $(BUILD)
	@$(BIN)/alphacut bench --weights out/bench-u2net/u2net-of-alphacut-u2netp.onnx \
		--repository out/bench-u2net/model_repository --output out/bench-u2net $(ARGS)

bench-soak: $(VENV)/loadtest  ## Does memory grow over 5,000 images? Results in out/bench-soak/.
	@$(BIN)/alphacut build --precision $(PRECISION)
	@$(BIN)/alphacut bench soak $(ARGS)

bench-start: $(VENV)/loadtest  ## Cold start to the first answer, stage by stage, beside rembg's. Results in out/bench-start/.
	@$(BIN)/alphacut build --precision $(PRECISION)
	@$(BIN)/alphacut bench start $(ARGS)

bench-client: $(VENV)/loadtest  ## What the client costs and its batches bring; ARGS=--quick takes a minute. Results in out/bench-client/.
	@$(BIN)/alphacut build
	@$(BIN)/alphacut bench-client $(ARGS)

load: $(VENV)/loadtest  ## Find the capacity of this machine; a few minutes, kept in loadtest/results/. ARGS as of alphacut capacity.
	@$(BIN)/alphacut build --precision $(PRECISION)
	@$(BIN)/alphacut capacity --keep $(ARGS); status=$$?; $(BIN)/alphacut capacity table --write && exit $$status

perf-analyzer: $(VENV)/perf_analyzer  ## Install Triton's own load generator, for a second opinion in make load.
	@$(BIN)/perf_analyzer --version || { echo "error: run: apt-get install libb64-0d"; exit 1; }

test: $(VENV)/dev  ## Lint, types, and the whole suite with the real Triton.
	@$(MAKE) --no-print-directory check
	@$(BIN)/alphacut build --tier all
	@# A worker that crashes is not replaced: near the end xdist would wait for ever for the new one.
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0
	@if [ -e $(TRAINING)/training ]; then $(MAKE) --no-print-directory test-training; \
		else echo "not tested: the training package, because PyTorch is not installed; make training installs it"; fi

test-faults: $(VENV)/dev  ## The long campaigns of faults: 1,000 images through each, and 10,000 in a stream.
	@$(BIN)/alphacut build --tier all
	@$(BIN)/python -m pytest -m faults --timeout 3600

test-slow: $(VENV)/dev  ## What takes long: full U²-Net for every GPU, published networks beside rembg, clean installs of the client, names of the TensorRT wheels.
	@$(BIN)/python -m pytest -m slow

test-installs: $(VENV)/dev  ## The client alone on every Python from 3.10 to 3.13 that is found here; names those that are not.
	@$(BIN)/alphacut build --tier all
	@$(BIN)/python -m pytest -m slow tests/contract/test_client_alone.py

test-gpu-script: $(VENV)/dev  ## The GPU course of tests/gpu where there is no GPU: does it end well, and say what was not run?
	@$(BIN)/python -m pytest -m slow tests/e2e/test_gpu_script.py

training: $(TRAINING)/training  ## Install what alphacut train needs, PyTorch among it, into .venv-training.

test-training: $(TRAINING)/training  ## Types and tests of the training package.
	@$(TRAINING)/bin/mypy training
	@$(TRAINING)/bin/python -m pytest --numprocesses 2 --dist worksteal --confcutdir=tests/unit/training tests/unit/training

check: $(VENV)/dev  ## Format, lint and types only.
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/mypy deploy/grafana/generate.py
	@for adapter in model_repository/*/1/*.py; do $(BIN)/mypy $$adapter || exit 1; done

format: $(VENV)/dev  ## Rewrite the code in the house style.
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

dashboards: $(VENV)/dev  ## Write Grafana's dashboards anew from deploy/grafana/*_board.py.
	@$(BIN)/python deploy/grafana/generate.py

lock: $(VENV)/dev  ## Resolve the lock files anew from pyproject.toml and server/alphacut_server/requirements.in.
	@$(PIP) uv
	@# loadtest first: rembg's FastAPI is the narrowest, and all three share .venv.
	@$(UV_COMPILE) --extra engines --extra loadtest pyproject.toml requirements/build.in --output-file requirements/loadtest.lock
	@$(UV_COMPILE) --extra engines --extra jobs --constraint requirements/loadtest.lock pyproject.toml requirements/build.in --output-file requirements/runtime.lock
	@$(UV_COMPILE) --extra dev --constraint requirements/loadtest.lock pyproject.toml requirements/build.in --output-file requirements/dev.lock
	@# pysodmetrics wants an older NumPy, hence an environment of its own. PyTorch comes first and unhashed: everybody
	@# takes the build for their machine, and its libraries with it.
	@$(UV_COMPILE) --extra training pyproject.toml requirements/build.in requirements/training.in | \
		awk '/^[a-z]/ { drop = /^(torch|triton|(cuda|nvidia)-[a-z0-9-]+)==/ } !drop' > requirements/training.lock
	@# For images: no more than each runs. What builds the wheel, the gateway, Triton, and what builds plans inside it.
	@$(UV_COMPILE) --constraint requirements/runtime.lock requirements/build.in --output-file requirements/build.lock
	@$(UV_COMPILE) --extra jobs --constraint requirements/runtime.lock pyproject.toml --output-file requirements/gateway.lock
	@$(UV_COMPILE) --extra cli --constraint requirements/runtime.lock pyproject.toml --output-file requirements/triton.lock
	@$(UV_COMPILE) --extra engines --constraint requirements/runtime.lock pyproject.toml requirements/tensorrt.in --output-file requirements/tensorrt.lock
	@$(UV_COMPILE) --no-deps requirements/perf_analyzer.in --output-file requirements/perf_analyzer.lock
	@$(UV_COMPILE) --no-deps server/alphacut_server/requirements.in --output-file server/alphacut_server/requirements.lock

clean:  ## Remove what was built here; the server's environment in the user's cache stays.
	rm -rf $(VENV) $(TRAINING) out dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	git clean -fdXq model_repository

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit((3, 11) > sys.version_info[:2])' || \
		{ echo "error: Python 3.11 or newer is needed, this is $$($(PYTHON) --version 2>&1); set PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "error: run: apt-get install python3-venv"; rm -rf $(VENV); exit 1; }

# $(VENV)/runtime is enough to run, $(VENV)/dev also to develop, $(VENV)/loadtest to bench; each is a stamp file.
$(VENV)/runtime $(VENV)/dev $(VENV)/loadtest: $(VENV)/%: requirements/%.lock pyproject.toml | $(BIN)/python
	@echo "installing requirements/$*.lock into $(VENV)"
	@$(PIP) --require-hashes --requirement requirements/$*.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# Beside the environment's packages, not among them: it comes in an older tritonclient than theirs.
PERF_ANALYZER = $(CURDIR)/$(VENV)/perf-analyzer
$(VENV)/perf_analyzer: requirements/perf_analyzer.lock | $(BIN)/python
	@rm -rf $(PERF_ANALYZER)
	@$(PIP) --no-deps --require-hashes --target $(PERF_ANALYZER) --requirement requirements/perf_analyzer.lock
	@printf '#!/bin/sh\nLD_LIBRARY_PATH="%s" exec "%s" "$$@"\n' \
		$(PERF_ANALYZER)/nvidia/cuda_runtime/lib $(PERF_ANALYZER)/bin/perf_analyzer > $(BIN)/perf_analyzer
	@chmod +x $(BIN)/perf_analyzer $(PERF_ANALYZER)/bin/perf_analyzer
	@touch $@

$(TRAINING)/training: requirements/training.lock pyproject.toml | $(BIN)/python
	@echo "installing PyTorch and requirements/training.lock into $(TRAINING)"
	@$(BIN)/python -m venv $(TRAINING)
	@$(TRAINING)/bin/python -m pip --disable-pip-version-check install --quiet "$(TORCH)"
	@$(TRAINING)/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --require-hashes --requirement requirements/training.lock
	@$(TRAINING)/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
