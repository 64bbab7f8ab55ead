"""The dialogs and side windows: files, settings, shortcuts, the command palette, the clip, its notes, errors."""
