"""``--bench``: a scripted hand in the real window, and what reached the screen when."""
