"""Text: the parsers of what a user types, and the phrases that messages share."""
