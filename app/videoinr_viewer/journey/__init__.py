"""Time and camera of an export: the retime curve, the shutter and the camera path, and their editors."""
