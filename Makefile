# Python 3.11 or later is all that `make run` needs; run.py makes the environment and installs the rest.
PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3))
BIN = .venv/bin
NORMAL = not stress and not e2e and not later
# What `check --deploy` looks at: a production by environment alone, with throwaway secrets.
PRODUCTION = DEBUG=0 ALLOWED_HOSTS=fleetdesk.example \
	SECRET_KEY=$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(60))') \
	JWT_SECRET=$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(60))')

.PHONY: run demo test stress e2e check bench environment

run:
	@$(PYTHON) run.py

demo:
	@$(PYTHON) run.py demo

environment:
	@$(PYTHON) run.py install --dev

test: environment
	$(BIN)/python -m pytest -n 2 -q -m "$(NORMAL)"

stress: environment
	$(BIN)/python -m pytest -n 2 --dist loadfile -q -m stress

e2e: environment
	$(BIN)/python -m pytest -q -m e2e

check: environment
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/bandit -q -r . -c pyproject.toml
	$(BIN)/detect-secrets-hook --baseline .secrets.baseline $$(git ls-files)
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check --fail-level WARNING
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

bench: environment
	$(BIN)/python -m bench
