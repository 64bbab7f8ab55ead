"""How the window looks: themes, glyphs, painting, and values as text."""
