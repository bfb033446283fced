#!/bin/sh
# Starts the console, the APIs and all agents, each on its own port. The same as `make run`.
cd "$(dirname "$0")/.." || exit 1
exec "${PYTHON:-python3}" run.py "$@"
