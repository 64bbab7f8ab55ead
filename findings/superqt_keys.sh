#!/bin/sh
# superqt 0.9.0 (PySide6 6.11.3): sliders of floats and of ranges ignore the keyboard, and a label rounds the value when Tab passes it.
#
# QDoubleSlider, QDoubleRangeSlider and QRangeSlider take the focus and show it, but the arrow keys, Page Up, Home and End do
# nothing, where Qt's QSlider, which they stand in for, moves. Screen readers get other numbers: 0 to 99 for a slider of 0 to 1.
# QLabeledDoubleSlider shows its value with two decimals in a field beside it: who only passes that field with Tab sets the
# value to what it shows, and valueChanged is emitted. Forms with such sliders lose precision without anybody's input.
#
# Output seen (2026-11-30, superqt 0.9.0, PySide6-Essentials 6.11.3), values after Right, Up, Page Up, Home and End:
#   QSlider:            5, then 6 7 9 0 10
#   QDoubleSlider:      0.5, then 0.5 0.5 0.5 0.5 0.5
#   QDoubleRangeSlider: (0.25, 0.5), then (0.25, 0.5) (0.25, 0.5) (0.25, 0.5) (0.25, 0.5) (0.25, 0.5)
#   QRangeSlider:       (2, 5), then (2, 5) (2, 5) (2, 5) (2, 5) (2, 5)
#   a screen reader is told that the QDoubleSlider of 0 to 1 lies at 99 of 99
#   QLabeledDoubleSlider of 0.123456 after Tab: 0.12
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, Qt's system libraries, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q superqt==0.9.0 PySide6-Essentials==6.11.3
QT_QPA_PLATFORM=offscreen venv/bin/python - 2>/dev/null <<'PY'
import sys

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QSlider, QVBoxLayout, QWidget
from superqt import QDoubleRangeSlider, QDoubleSlider, QLabeledDoubleSlider, QRangeSlider

KEYS = (Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_PageUp, Qt.Key.Key_Home, Qt.Key.Key_End)
app = QApplication([])


def show(widget):
    widget.show()
    widget.activateWindow()
    QTest.qWaitForWindowActive(widget)


found = {}
for kind, most, value in ((QSlider, 10, 5), (QDoubleSlider, 1, 0.5), (QDoubleRangeSlider, 1, (0.25, 0.5)), (QRangeSlider, 10, (2, 5))):
    slider = kind(Qt.Orientation.Horizontal)
    slider.setRange(0, most)
    slider.setSingleStep(most / 10 if most == 1 else 1)
    slider.setPageStep(most / 5 if most == 1 else 2)
    slider.setValue(value)
    show(slider)
    slider.setFocus()
    assert slider.hasFocus()
    found[kind.__name__] = [slider.value()]
    for key in KEYS:
        QTest.keyClick(slider, key)
        found[kind.__name__].append(slider.value())
    first, *after = found[kind.__name__]
    print(f"{kind.__name__ + ':':19s} {first}, then", *after)
    if kind is QDoubleSlider:
        told = QAccessible.queryAccessibleInterface(slider).valueInterface()
        told = told.currentValue(), told.maximumValue()
print("a screen reader is told that the QDoubleSlider of 0 to 1 lies at", told[0], "of", told[1])

form = QWidget()
slider = QLabeledDoubleSlider(Qt.Orientation.Horizontal, form)
slider.setRange(0, 1)
slider.setValue(0.123456)
layout = QVBoxLayout(form)
layout.addWidget(slider)
layout.addWidget(QLineEdit(form))
show(form)
label = slider.findChild(QLineEdit)
label.setFocus()
QTest.keyClick(label, Qt.Key.Key_Tab)
print("QLabeledDoubleSlider of 0.123456 after Tab:", slider.value())
still = all(len(set(values)) == 1 for name, values in found.items() if name != "QSlider")
sys.exit(0 if still and found["QSlider"] == [5, 6, 7, 9, 0, 10] and told == (99, 99) and slider.value() == 0.12 else 1)
PY
