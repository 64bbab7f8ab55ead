#!/usr/bin/env bash
# Installs on Debian or Ubuntu what the tests need beside Python: the libraries that Qt opens windows with, Xvfb for real
# windows, and strace for the test that untrusted files open nothing else. Without the right to install, it lists what is
# missing and goes on; the tests that need it are then skipped.
set -uo pipefail

packages=(
    xvfb xdotool strace fonts-dejavu-core libegl1 libgl1 libglib2.0-0 libfontconfig1 libdbus-1-3 libxkbcommon-x11-0 libx11-xcb1
    libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0
    libxcb-shm0 libxcb-sync1 libxcb-util1 libxcb-xfixes0 libxcb-xkb1
)

command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || exit 0

missing=()
for package in "${packages[@]}"; do
    # Newer releases call some of them by a name with t64 at its end.
    state=$(dpkg-query -W -f '${Status};' "$package" "${package}t64" 2>/dev/null)
    [[ $state == *"ok installed"* ]] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

install=(env DEBIAN_FRONTEND=noninteractive apt-get)
if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        install=(sudo -n "${install[@]}")
    else
        echo "Missing for some tests, which are skipped. To have them: apt-get install ${missing[*]}"
        exit 0
    fi
fi
echo "Installing system libraries: ${missing[*]}"
log=$(mktemp)
# One source of several may be out of reach: whether the packages can be had, the second command knows.
if ! { "${install[@]}" update; "${install[@]}" install -y --no-install-recommends "${missing[@]}"; } </dev/null >"$log" 2>&1
then
    tail -n 5 "$log"
    echo "They could not be installed: tests with real windows or with strace may fail or be skipped."
fi
rm -f "$log"
