"""Text: parsers of what a user types, phrases of messages, schemas of files, hidden names, the problem report."""
