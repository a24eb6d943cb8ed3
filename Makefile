# Sets up, runs and tests gaze. `make` alone lists what there is to say.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help setup run test test-browsers test-others lint clean demo-clips

ARGS ?=
PYTHON := .venv/bin/python
PIP := $(PYTHON) -m pip --disable-pip-version-check install --quiet --no-deps

# $(call need,COMMAND,PACKAGES): where COMMAND fails, install the Debian packages that mend it.
define need
if ! { $1; } >/dev/null 2>&1; then
    if [ "$$(id -u)" = 0 ]; then root=; else root=sudo; fi
    if ! command -v apt-get >/dev/null || ! command -v $${root:-true} >/dev/null; then
        echo "Missing: $2. Install that, or run make where apt-get and root or sudo are at hand." >&2
        exit 1
    fi
    echo "Installing $2 with apt-get"
    $$root apt-get update --quiet --quiet >/dev/null || true
    $$root env DEBIAN_FRONTEND=noninteractive apt-get install --quiet --quiet --yes --no-install-recommends $2 >/dev/null
    if ! { $1; } >/dev/null; then
        echo "$2 from apt-get will not do. This must work: $1" >&2
        exit 1
    fi
fi
endef

help:
	@echo 'make setup   environment, packages, development certificate, demo film'
	echo 'make run     set up and serve; ARGS="--port 9443" passes flags, ARGS=--help lists them'
	echo 'make test    set up, lint and run every test; ARGS="tests/test_certs.py" for some'
	echo 'make lint    ruff, mypy and the type check of the client'
	echo 'make demo-clips  a short film of each effect, in test-output/clips'
	echo 'make clean   remove what setup and the tests made'

setup: .venv/compiled media/demo.mp4 client/vendor/.made
	@$(PYTHON) -m certs.development

run: setup
	@exec $(PYTHON) server.py $(ARGS)

test: setup lint .venv/browsers
ifdef ARGS
	$(PYTHON) -m pytest $(ARGS)
else
	@$(MAKE) --no-print-directory --jobs=2 --keep-going test-browsers test-others
endif

# One browser after the other, and all else beside them, told in one piece. The browsers' viewers
# look at dots and films in real time, so the rest gives way.
test-browsers:
	$(PYTHON) -m pytest tests/browser

test-others:
	@said=$$(nice -n 10 $(PYTHON) -m pytest --ignore=tests/browser 2>&1) && failed=0 || failed=$$?
	echo "$$said"
	exit $$failed

lint: .venv/development node_modules/.made client/vendor/.made
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy --strict gaze certs server.py
	npm run --silent check

demo-clips: setup
	@$(PYTHON) -m benchmarks.demo_clips --film media/demo.mp4 --clips test-output/clips

clean:
	rm -rf .venv node_modules client/vendor client/LICENSE client/types
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis test-output
	rm -f media/demo.mp4 certs/dev-*.pem
	find . -name __pycache__ -prune -exec rm -r {} +

# An environment whose Python no longer runs (moved, upgraded) is made anew.
ifneq ($(shell $(PYTHON) -c 'print("runs")' 2>/dev/null),runs)
.PHONY: .venv/made
endif

# A name on the path is not enough: version managers leave names there that fail when run.
.venv/made:
	@for name in python3.12 python3.11 python3 ''; do
	    version=$$($$name -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
	    case $$version in 3.12 | 3.11) break ;; esac
	done
	if [ -z "$$name" ]; then
	    echo 'gaze needs Python 3.12 or 3.11, and neither runs here. On Debian 12: apt-get install python3' >&2
	    exit 1
	fi
	$(call need,$$name -c 'import ensurepip',python$$version-venv)
	echo "Making .venv with Python $$version"
	$$name -m venv --clear .venv
	touch $@

.venv/runtime: requirements.txt .venv/made
	@echo 'Installing the packages of requirements.txt'
	$(PIP) -r $<
	touch $@

.venv/compiled: .venv/runtime $(wildcard gaze/vision/*.py gaze/vision/*/*.py)
	@echo 'Compiling what finds the eyes'
	$(PYTHON) -c 'import gaze.vision.tracker'
	touch $@

.venv/development: requirements-dev.txt .venv/runtime
	@echo 'Installing the packages of requirements-dev.txt'
	$(PIP) -r $<
	touch $@

.venv/browsers: .venv/made
	@. /etc/os-release || true
	if [ "$${ID:-}" = ubuntu ]; then browsers='chromium-browser firefox'; else browsers='chromium firefox-esr'; fi
	$(call need,(chromium --version || chromium-browser --version) && (firefox-esr --version || firefox --version),$$browsers)
	touch $@

node_modules/.made: package.json package-lock.json
	@$(call need,node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)' && npm --version,nodejs npm)
	npm ci --no-audit --no-fund
	touch $@

# The chart library of the page's plots. Without npm, or without a network, the page does without.
client/vendor/.made: package-lock.json
	@if ! { npm --version && node --version; } >/dev/null 2>&1; then
	    echo 'npm is missing: the page will have no live plots'
	    exit 0
	fi
	if [ -e node_modules/.made ]; then
	    $(MAKE) --no-print-directory node_modules/.made
	elif ! npm ci --omit=dev --no-audit --no-fund; then
	    echo 'npm found no packages: the page will have no live plots'
	    exit 0
	fi
	mkdir -p client/vendor
	cp node_modules/uplot/dist/uPlot.esm.js client/vendor/uplot.js
	cp node_modules/uplot/dist/uPlot.min.css client/vendor/uplot.css
	cp node_modules/uplot/LICENSE client/vendor/uplot-LICENSE
	touch $@

media/demo.mp4: | .venv/runtime
	@echo 'Making the demo film'
	mkdir -p media
	$(PYTHON) -m tools.demo_film $@
