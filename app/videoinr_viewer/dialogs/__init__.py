"""The dialogs above the window: files, keyboard shortcuts, unexpected errors."""
