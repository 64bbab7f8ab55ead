"""Threads that the window starts itself."""
