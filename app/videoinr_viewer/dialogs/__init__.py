"""What opens on top of the window: the export dialog, the key sheet, errors."""
