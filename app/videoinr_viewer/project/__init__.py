"""The user's work on a clip: what it consists of, undoing it, and keeping it in files."""
