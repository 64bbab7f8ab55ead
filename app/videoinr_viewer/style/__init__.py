"""How the window looks: themes, glyphs, painting, values as text, and its language."""
