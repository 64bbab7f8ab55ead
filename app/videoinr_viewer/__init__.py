"""The window of VideoINR Viewer: a PySide6 program on top of the engine ``videoinr``."""
