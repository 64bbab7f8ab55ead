#!/usr/bin/env bash
# Writes packaging/hashes.txt: the pins of constraints.txt with the SHA-256 of every archive of each release, as the index
# gives them. `make hashes` calls it, with uv on the path.
#
# torch and triton are left out: their builds come from an index of your choice. Install torch first, then
#     pip install --no-deps --require-hashes -r packaging/hashes.txt
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
pins=$(mktemp)
trap 'rm -f "$pins"' EXIT
grep -vE '^(#|torch==|triton==)' packaging/constraints.txt >"$pins"
{
    echo "# The pins of constraints.txt, less torch and triton, with the SHA-256 of every archive; made by packaging/hashes.sh."
    echo "# To use it: install a build of torch, then pip install --no-deps --require-hashes -r packaging/hashes.txt"
    env -u PIP_CONSTRAINT uv pip compile --quiet --no-deps --generate-hashes --universal --python-version 3.11 \
        --no-header --no-annotate --no-emit-index-url --no-emit-find-links "$pins"
} >packaging/hashes.txt.part
mv packaging/hashes.txt.part packaging/hashes.txt
