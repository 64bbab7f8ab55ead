#!/usr/bin/env bash
# Freezes the wheel $1 for Linux: dist/frozen/videoinr, a folder with Python, torch and Qt, which runs where none of them
# is installed. It needs a C compiler and strip. `make frozen` calls it; PIP_FLAGS choose the build of torch.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
wheel=$1 out=dist/frozen work=build/frozen
venv=$work/venv
python=$venv/bin/python
"$python" -c '' 2>/dev/null || "${PYTHON:-python3}" -m venv --clear "$venv"
# shellcheck disable=SC2086  # Several flags.
"$python" -m pip install --quiet ${PIP_FLAGS:-} -c packaging/constraints.txt "$wheel" pyinstaller
"$python" -m pip install --quiet --force-reinstall --no-deps "$wheel"
rm -rf "$out"
# The sources of the checkout must not be found: what is frozen is what the wheel installed.
env -u PYTHONPATH PYTHONHASHSEED=0 "$python" -P -m PyInstaller --noconfirm --log-level WARN \
    --distpath "$out" --workpath "$work/build" packaging/frozen/videoinr.spec
# Symbols that only a linker or a debugger reads. What lies in *.libs was moved there by tools that strip does not cope with.
find "$out/videoinr/_internal"/{torch,av,python*,libpython*} -type f -name '*.so*' -exec strip --strip-unneeded {} +
ln -s videoinr "$out/videoinr/videoinr-viewer"
cp LICENSE packaging/THIRD_PARTY.md "$out/videoinr/"
du -sm --apparent-size "$out/videoinr" | awk '{ print "The frozen program: dist/frozen/videoinr, " $1 " MB." }'
