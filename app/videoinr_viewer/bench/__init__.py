"""``--bench``: uses the real window by a script and measures when pictures reach the screen."""
