# What a fresh clone needs: Python 3.11 or newer with venv, make and git. Everything else is set up here, in .venv.
SHELL := bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
MANUAL := resources/videoinr_resources/manual
DEMO := resources/videoinr_resources/demo/demo.mp4
# Further arguments of pip (say, another build of torch) and of pytest (say, one folder of tests).
PIP_FLAGS ?=
TESTS ?=
# COVERAGE=1 counts the engine's lines and branches that the engine's own tests run; the whole suite must reach this
# share of them, a part of it need not.
COVERAGE ?=
COVERAGE_GATE := $(if $(TESTS),,--cov-fail-under=90)
COVERAGE_FLAGS := $(if $(COVERAGE),--cov --cov-report=term $(COVERAGE_GATE))
# Isolated builds take the pinned hatchling too: new versions of pip read the first of these, older ones the second.
export PIP_BUILD_CONSTRAINT := $(CURDIR)/packaging/constraints.txt
export PIP_CONSTRAINT := $(CURDIR)/packaging/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup system-libraries run run-window run-headless test test-gpu lint demo screenshots icon third-party hashes bench manual pictures wheel check-wheel frozen check-frozen matrix clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-18s %s\n", $$1, $$2 }'

setup: $(READY) ## Install the program and its tools into .venv, at the versions of packaging/constraints.txt

$(READY): pyproject.toml packaging/constraints.txt
	@bash packaging/check_python.sh "$(PYTHON)"
	@$(BIN)/python -c '' 2>/dev/null || { echo "Setting up $(VENV) ..."; "$(PYTHON)" -m venv --clear $(VENV); }
	$(BIN)/python -m pip install --quiet $(PIP_FLAGS) -c packaging/constraints.txt -e ".[test,lint]"
	@touch $@

system-libraries: ## Install what Debian needs for real windows (or say what is missing)
	@bash packaging/system_libraries.sh

run: $(READY) ## Open the viewer on the demo clip; with no display, render pictures of it instead
	@if [ -n "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ]; then $(MAKE) --no-print-directory run-window; \
	else $(MAKE) --no-print-directory run-headless; fi

run-window: $(READY) system-libraries
	$(BIN)/videoinr-viewer $(DEMO)

run-headless: $(READY)
	@echo "There is no display here, so no window opens: rendering the demo clip to files instead."
	@mkdir -p out
	$(BIN)/videoinr decode $(DEMO) --time 0.54 --scale 4 -o out/demo.png
	$(BIN)/videoinr export $(DEMO) out/demo.mp4 --start 0.5 --end 1 --fps 48 --scale 2 --overwrite
	@echo "An instant between two frames, four times the size:  $(CURDIR)/out/demo.png"
	@echo "Half a second at four times the rate, twice the size: $(CURDIR)/out/demo.mp4"

test: $(READY) system-libraries ## Run the tests, TESTS=tests/core for a part, COVERAGE=1 for the coverage of the engine
	@# With bytecode, whatever the environment says: hundreds of processes would each compile the program anew.
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest --numprocesses auto --dist worksteal $(COVERAGE_FLAGS) $(TESTS)

test-gpu: $(READY) ## Run the engine's tests on an NVIDIA GPU, the Triton kernels compiled for it
	@$(BIN)/python -c 'import sys, torch; sys.exit(None if torch.cuda.is_available() else "torch sees no NVIDIA GPU here.")'
	$(BIN)/python -m pytest --numprocesses 4 --dist worksteal tests/core

lint: $(READY) ## Check style, format, types and who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

demo: $(READY) ## Make the demo clip anew from its photographs
	$(BIN)/python -m pip install --quiet $(PIP_FLAGS) -c packaging/constraints.txt -e ".[demo]"
	$(BIN)/python packaging/make_demo_clip.py $(DEMO)

screenshots: $(READY) ## Save pictures of every panel and mode of the window to out/screenshots (some minutes)
	$(BIN)/python packaging/screenshots.py out/screenshots

icon: $(READY) ## Draw the icon anew
	$(BIN)/python packaging/make_icon.py resources/videoinr_resources/icons/videoinr-viewer.svg

hashes: $(READY) ## Fetch the hashes of the pinned versions anew
	$(BIN)/python -m pip install --quiet $(PIP_FLAGS) -c packaging/constraints.txt -e ".[release]"
	PATH="$(CURDIR)/$(BIN):$$PATH" bash packaging/hashes.sh

third-party: $(READY) ## List the libraries and data of others anew, and write the bill of materials
	$(BIN)/python -m pip install --quiet $(PIP_FLAGS) -c packaging/constraints.txt hatchling \
		-e ".[test,lint,demo,dist,docs,onnx,openvino,cluster,baselines,sound,release]"
	$(BIN)/python packaging/third_party.py packaging/THIRD_PARTY.md
	$(BIN)/python packaging/sbom.py packaging/sbom.cdx.json

bench: $(READY) ## Measure the speed of this machine
	$(BIN)/videoinr bench
	$(BIN)/python -m pytest tests/benchmarks --benchmark-enable --benchmark-only

manual: $(READY) ## Build the manual, which F1 opens and the wheel holds
	$(BIN)/python -m pip install --quiet $(PIP_FLAGS) -c packaging/constraints.txt -e ".[docs]"
	rm -rf $(MANUAL)
	$(BIN)/python -m sphinx --fail-on-warning --quiet -d build/manual packaging/manual $(MANUAL)
	@rm -f $(MANUAL)/.buildinfo $(MANUAL)/objects.inv
	@echo "The manual: $(CURDIR)/$(MANUAL)/index.html"

pictures: $(READY) ## Make those pictures of the manual anew that show what has changed since
	$(BIN)/python packaging/make_pictures.py

wheel: manual ## Build dist/: the source archive, and the wheel from that archive
	rm -rf dist
	$(BIN)/python -m pip install --quiet $(PIP_FLAGS) -c packaging/constraints.txt -e ".[dist]"
	$(BIN)/python -m build --outdir dist .

check-wheel: wheel ## Install the wheel by itself and use it
	$(BIN)/python packaging/check_wheel.py dist/*.whl

frozen: wheel ## Freeze the program for Linux to dist/frozen/videoinr, with Python, torch and Qt in it (some minutes)
	PYTHON="$(PYTHON)" PIP_FLAGS="$(PIP_FLAGS)" bash packaging/freeze.sh dist/*.whl

check-frozen: ## Use the frozen program on bare roots of Debian 12 and 13 (as root, with debootstrap)
	"$(PYTHON)" packaging/check_bare_root.py bookworm --frozen dist/frozen/videoinr
	"$(PYTHON)" packaging/check_bare_root.py trixie --frozen dist/frozen/videoinr

matrix: ## Run the fast tests with the lowest and the newest versions of the dependencies (gigabytes, an hour)
	"$(PYTHON)" packaging/matrix.py lowest newest

clean: ## Remove all that was built, .venv too
	rm -rf $(VENV) dist build out .coverage htmlcov .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -rf .import_linter_cache .benchmarks $(MANUAL) packaging/manual/generated
	find app core resources tests packaging -name __pycache__ -prune -exec rm -rf {} +
