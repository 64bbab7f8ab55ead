#!/usr/bin/env bash
# Whether $1 is a Python that the project can be set up with; if not, says what to do.
set -euo pipefail
python=$1
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
    echo "The project needs Python 3.11 or newer, and \"$python\" is not one. Name one: make PYTHON=python3.12 ..." >&2
    exit 1
}
"$python" -c 'import ensurepip, venv' 2>/dev/null || {
    echo "\"$python\" has no venv module. On Debian and Ubuntu: apt-get install python3-venv" >&2
    exit 1
}
