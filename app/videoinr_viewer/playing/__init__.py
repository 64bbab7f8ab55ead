"""Playback in the window: kept pictures at the rate of the display, and the sound that goes with them."""
