"""Exports from the window: the form, the dialog, and the process that runs them."""
