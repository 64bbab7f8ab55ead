"""The window of VideoINR Viewer."""
