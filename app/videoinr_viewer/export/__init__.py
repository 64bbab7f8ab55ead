"""Export from the window: the dialog with its form, the queue, and bridges to the processes that export."""
