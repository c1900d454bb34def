# Needs Python 3.11 or newer and make; everything else is installed into .venv.
VENV := .venv
PY := $(VENV)/bin/python
NEW_ENOUGH := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && { echo $$p; break; }; done)
JOBS ?= 2
# uv brings certificates of its own; behind a proxy only the machine's are right, and pip takes those as well.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
export UV_SYSTEM_CERTS ?= 1
endif

.PHONY: install demo test test-life test-long check clean

install: $(VENV)/.installed

demo: install
	$(PY) manage.py demo $(ARGS)

test: $(VENV)/.installed-for-tests
	$(PY) -m pytest -n $(JOBS) --dist worksteal $(ARGS)
	TEST_DATABASE=sqlite $(PY) -m pytest -n $(JOBS) --dist worksteal -m "db and not browser" $(ARGS)

test-life: $(VENV)/.installed-for-tests
	$(PY) -m pytest tests/crowd/test_whole_life.py --long --timeout 3600 $(ARGS)

test-long: $(VENV)/.installed-for-tests
	$(PY) -m pytest -n $(JOBS) --dist worksteal --long --timeout 7200 $(ARGS)
	TEST_DATABASE=sqlite $(PY) -m pytest -n $(JOBS) --dist worksteal --long --timeout 7200 -m db $(ARGS)

check: $(VENV)/.installed-for-checks
	$(VENV)/bin/ruff check --no-cache .  # what sorts an import right depends on other files than its own
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports --no-logo
	$(VENV)/bin/mypy
	$(PY) -m pytest -q tests/test_house.py
	DATA_DIR=$(VENV)/check $(PY) manage.py makemigrations --check --dry-run
	DATA_DIR=$(VENV)/check PUBLIC_URL=https://labels.example.org $(PY) manage.py check --deploy --fail-level WARNING

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache *.egg-info

$(VENV)/.uv:
	@test -n "$(PYTHON)" || { \
		echo "There is no Python 3.11 or newer with venv here. On Debian: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check uv
	touch $@

$(VENV)/.installed: $(VENV)/.uv pyproject.toml
	$(VENV)/bin/uv pip install --quiet --python $(PY) -e .
	touch $@

$(VENV)/.installed-for-tests: $(VENV)/.installed
	$(VENV)/bin/uv pip install --quiet --python $(PY) -e '.[test]'
	touch $@

$(VENV)/.installed-for-checks: $(VENV)/.installed-for-tests
	$(VENV)/bin/uv pip install --quiet --python $(PY) -e '.[test,check]'
	touch $@
