"""Export from the window: the dialog with its form, and the bridge to the process that exports."""
