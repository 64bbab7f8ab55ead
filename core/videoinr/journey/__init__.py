"""Journeys through a clip: which time and which part of it each output frame shows, and for how long it is exposed.

`curve` is the retime curve (output time to clip time), `camera` the camera path (clip time to the visible part). The
exposure is made in `render/shutter`.
"""
