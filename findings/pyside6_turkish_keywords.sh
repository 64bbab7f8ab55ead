#!/usr/bin/env bash
# PySide6 6.11.3 (Debian 12, glibc 2.36): under a Turkish locale, a Qt property whose name begins with "i" cannot be
# given as a keyword argument. PySide6 looks for the setter "set" + toupper("i") with the C library's toupper, after
# QApplication has set LC_CTYPE from the environment; in tr_TR the upper case of i is not I. Other names work.
#
# Output seen:
#     C.UTF-8:     QTimer(interval=5) works, QTimer(singleShot=True) works
#     tr_TR.UTF-8: QTimer(interval=5) fails: 'interval' is not a Qt property or a signal, QTimer(singleShot=True) works
#
# Needs localedef with the sources of the locales (Debian: locales). Exit code 1: this has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check PySide6-Essentials==6.11.3
localedef -i tr_TR -f UTF-8 "$work/tr_TR.UTF-8" || true

cat >"$work/try.py" <<'PYTHON'
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

app = QApplication([])
found = []
for name, value in (("interval", 5), ("singleShot", True)):
    try:
        QTimer(app, **{name: value})
        found.append(f"QTimer({name}={value}) works")
    except AttributeError as error:
        found.append(f"QTimer({name}={value}) fails: {str(error).partition(': ')[2]}")
print(", ".join(found))
PYTHON

run() { LOCPATH=$work LC_ALL=$1 QT_QPA_PLATFORM=offscreen "$work/venv/bin/python" "$work/try.py"; }
plain=$(env -u LOCPATH LC_ALL=C.UTF-8 QT_QPA_PLATFORM=offscreen "$work/venv/bin/python" "$work/try.py")
turkish=$(run tr_TR.UTF-8)
echo "C.UTF-8:     $plain"
echo "tr_TR.UTF-8: $turkish"
[ "$plain" = "QTimer(interval=5) works, QTimer(singleShot=True) works" ]
[ "$turkish" = "QTimer(interval=5) fails: 'interval' is not a Qt property or a signal, QTimer(singleShot=True) works" ]
