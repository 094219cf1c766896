# make demo   sets up .venv and turns a sentence into a moving face
# make test   sets up .venv and passes the tests
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PROMPT ?= She smirks, then turns her head to the right and blinks twice.
OUT    ?= demo

.PHONY: help setup setup-dev demo test check bench docs evaluate glb-validator clean

help:  ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# torch comes first and pinned: a plain `torch` may fetch gigabytes of CUDA libraries.
$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

setup: $(VENV)/.installed  ## install tdmm into .venv

setup-dev: $(VENV)/.installed-dev  ## the same with the tools for developing

demo: setup  ## a sentence becomes a face, and the face a sentence (files in ./demo)
	@mkdir -p $(OUT)
	$(BIN)/tdmm animate "$(PROMPT)" --seed 1 -o $(OUT)/face.glb $(OUT)/face.csv $(OUT)/face.npz $(OUT)/face.mp4 $(OUT)/face.png
	$(BIN)/tdmm describe $(OUT)/face.npz

test: setup-dev  ## the test suite
	$(BIN)/python -m pytest -n 2

check: setup-dev  ## lint, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# A real recording, for the tokenizers' errors on it: make evaluate CAPTURE=take.csv
evaluate: setup  ## every figure in the README
	$(BIN)/tdmm evaluate quick --out docs/evaluation.json $(if $(CAPTURE),--capture $(CAPTURE))
	$(BIN)/python tools/write_figures.py

bench: setup  ## speed, as multiples of real time
	$(BIN)/python benchmarks/bench_speed.py --out docs/speed.json
	$(BIN)/python tools/write_figures.py

docs: setup  ## regenerate the pictures and the command reference
	$(BIN)/python tools/render_shapes.py
	$(BIN)/python tools/write_cli_reference.py

glb-validator:  ## Khronos' glTF validator, used by the tests when it is there (needs npm)
	npm install --no-save --no-audit --no-fund --silent gltf-validator@2.0.0-dev.3.10

clean:  ## remove what make made
	rm -rf $(VENV) $(OUT) .mypy_cache .ruff_cache .pytest_cache
