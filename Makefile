# Sets up, runs and tests gaze. `make` alone lists what there is to say.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help setup run dev test test-browsers test-others test-long lint docs demo-clips wheel lock \
    audit check-upstream peers clean

ARGS ?=
YES ?=
PYTHON := .venv/bin/python
PIP_INSTALL := python -m pip --disable-pip-version-check install --quiet --no-deps
PIP := .venv/bin/$(PIP_INSTALL)
MODELS := gaze/vision/face/models/NOTICE

# $(call need,COMMAND,PACKAGES): where COMMAND fails, install the Debian packages that mend it. It asks
# before it uses sudo, unless CI or YES is set (make takes no flags of its own: `make test YES=1`).
define need
if ! { $1; } >/dev/null 2>&1; then
    if [ "$$(id -u)" = 0 ]; then root=; else root=sudo; fi
    if ! command -v apt-get >/dev/null || ! command -v $${root:-true} >/dev/null; then
        echo "Missing: $2. Install that, or run make where apt-get and root or sudo are at hand." >&2
        exit 1
    fi
    if [ -n "$$root" ] && [ -z "$${CI:-}$(YES)" ]; then
        answer=
        if [ -t 0 ]; then read -r -p "Install $2 with sudo apt-get? [y/N] " answer; fi
        case $$answer in
            [yY]*) ;;
            *) echo "Missing: $2. Install that, or say that make may: make $(MAKECMDGOALS) YES=1" >&2; exit 1 ;;
        esac
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

# $(call find_python,VERSIONS): set `name` and `version` to the first of these Pythons that runs. A name
# on the path is not enough: version managers leave names there that fail when run.
define find_python
for name in $(addprefix python,$1) python3 ''; do
    version=$$($$name -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    case " $1 " in *" $$version "*) break ;; esac
done
if [ -z "$$name" ]; then
    echo 'gaze needs Python $(call either,$1), and none of them runs here. On Debian 12 or 13: apt-get install python3' >&2
    exit 1
fi
endef
either = $(subst $() ,$(comma) ,$(wordlist 2,$(words $1),x $1)) or $(lastword $1)
comma := ,

help:
	@echo 'make setup   environment, packages, face networks, development certificate, demo film'
	echo 'make run     set up and serve; ARGS="--port 9443" passes flags, ARGS=--help lists them'
	echo 'make dev     the same, and restart whenever the code changes'
	echo 'make test    set up, lint and run every test but the long ones; ARGS="tests/test_certs.py" for'
	echo '             some. Where it must install Debian packages it asks before it uses sudo; YES=1 says yes'
	echo 'make test-long  the tests that take minutes'
	echo 'make lint    ruff, mypy and the type check of the client'
	echo 'make docs    the documentation as a site, in test-output/site'
	echo 'make demo-clips  a short film of each effect, in test-output/clips'
	echo 'make wheel   the package, in dist/'
	echo 'make lock    pin the packages that pyproject.toml asks for; ARGS=--upgrade takes newer ones'
	echo 'make audit   look for known vulnerabilities in the pinned packages'
	echo 'make check-upstream  the rtc tests with the newest aiortc, aioice and pylibsrtp'
	echo 'make peers   the environment in which benchmarks run the old FaceMesh'
	echo 'make clean   remove what setup and the tests made'

setup: .venv/compiled media/demo.mp4 client/vendor/.made
	@$(PYTHON) -m certs.development

run: setup
	@exec $(PYTHON) server.py $(ARGS)

dev: setup .venv/development
	@exec $(PYTHON) -m watchfiles --filter python --sigint-timeout 15 '$(PYTHON) server.py $(ARGS)' gaze certs server.py

test: setup lint .venv/browsers .venv/opengl
ifdef ARGS
	$(PYTHON) -m pytest $(ARGS)
else
	@$(MAKE) --no-print-directory --jobs=2 --keep-going test-browsers test-others
endif

test-long: setup .venv/development .venv/browsers .venv/opengl
	$(PYTHON) -m pytest -m long $(ARGS)

test-browsers:
	$(PYTHON) -m pytest tests/browser

test-others:
	@said=$$(nice -n 10 $(PYTHON) -m pytest --ignore=tests/browser 2>&1) && failed=0 || failed=$$?
	echo "$$said"
	exit $$failed

lint: .venv/development node_modules/.made client/vendor/.made
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy
	npm run --silent check

demo-clips: setup
	@$(PYTHON) -m benchmarks.demo_clips --film media/demo.mp4 --clips test-output/clips

wheel: .venv/development $(MODELS) client/vendor/.made
	@$(PYTHON) -m pip --disable-pip-version-check wheel --quiet --no-deps --wheel-dir dist .

# The packages that pyproject.toml asks for, and theirs, with one version for all Pythons if there is one.
lock: .venv/development
	@export UV_CUSTOM_COMPILE_COMMAND='make lock'
	lock() {
	    $(PYTHON) -m uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	        --generate-hashes --no-annotate $(ARGS) "$$@" >/dev/null
	}
	lock pyproject.toml --extra tasks --output-file requirements.txt
	lock pyproject.toml --extra tasks --group dev --constraint requirements.txt --output-file requirements-dev.txt
	lock --group docs --output-file requirements-docs.txt
	lock --group peers --output-file requirements-peers.txt

audit: .venv/development node_modules/.made
	@failed=0
	for file in requirements-dev.txt requirements-docs.txt; do
	    $(PYTHON) -m pip_audit --strict --disable-pip --require-hashes --requirement $$file || failed=1
	done
	npm audit || failed=1
	exit $$failed

docs: .venv-docs/made
	.venv-docs/bin/python -m mkdocs build --strict --site-dir test-output/site

.venv-docs/made: requirements-docs.txt .venv/made
	@$(PYTHON) -m venv --clear .venv-docs
	.venv-docs/bin/$(PIP_INSTALL) -r $<
	touch $@

check-upstream: requirements-dev.txt .venv/made $(MODELS)
	@$(PYTHON) -m venv --clear .venv-upstream
	.venv-upstream/bin/$(PIP_INSTALL) -r $<
	.venv-upstream/bin/$(subst --no-deps,--upgrade,$(PIP_INSTALL)) aiortc aioice pylibsrtp
	.venv-upstream/bin/python -m pip list | grep -i -E '^(aiortc|aioice|pylibsrtp|av) '
	.venv-upstream/bin/python -m pytest tests/rtc $(ARGS)

peers: .venv-peers/made

.venv-peers/made: requirements-peers.txt
	@$(call find_python,3.12 3.11)
	$$name -m venv --clear .venv-peers
	.venv-peers/bin/$(PIP_INSTALL) -r $<
	touch $@

clean:
	rm -rf .venv .venv-docs .venv-upstream .venv-peers node_modules client/vendor client/LICENSE client/types
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis test-output build dist gaze/vision/face/models
	rm -f media/demo.mp4 certs/dev-*.pem
	find . -name __pycache__ -prune -exec rm -r {} +

# An environment whose Python no longer runs (moved, upgraded) is made again.
ifneq ($(shell $(PYTHON) -c 'print("runs")' 2>/dev/null),runs)
.PHONY: .venv/made
endif

.venv/made:
	@$(call find_python,3.14 3.13 3.12 3.11)
	$(call need,$$name -c 'import ensurepip',python$$version-venv)
	echo "Making .venv with Python $$version"
	$$name -m venv --clear .venv
	touch $@

.venv/runtime: requirements.txt .venv/made
	@echo 'Installing the packages of requirements.txt'
	$(PIP) -r $<
	touch $@

# Files of an older MediaPipe's wheel, unpacked; what runs needs no MediaPipe.
$(MODELS): requirements-models.txt tools/face_models.py | .venv/runtime
	@echo 'Unpacking the face networks'
	$(PYTHON) -m tools.face_models
	touch $@

.venv/compiled: .venv/runtime $(MODELS) $(wildcard gaze/vision/*.py gaze/vision/*/*.py)
	@echo 'Compiling what finds the eyes'
	$(PYTHON) -c 'import gaze.vision.tracker'
	touch $@

# It lists those of requirements.txt too.
.venv/development: requirements-dev.txt .venv/runtime
	@echo 'Installing the packages of requirements-dev.txt'
	$(PIP) -r $<
	touch $@

.venv/browsers: .venv/made
	@. /etc/os-release || true
	if [ "$${ID:-}" = ubuntu ]; then browsers='chromium-browser firefox'; else browsers='chromium firefox-esr'; fi
	$(call need,(chromium --version || chromium-browser --version) && (firefox-esr --version || firefox --version),$$browsers)
	touch $@

# MediaPipe's Face Landmarker loads them, which the tests run.
.venv/opengl: .venv/made
	@$(call need,$(PYTHON) -c 'import ctypes; [ctypes.CDLL(f"lib{name}") for name in ("EGL.so.1"$(comma) "GLESv2.so.2")]',libegl1 libgles2)
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
