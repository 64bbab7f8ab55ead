"""Export: a segment of a clip, retimed and rescaled through the same decode as the window's, into a file.

ExportJob -> one RegionQuery per instant -> Engine.render -> Sink -> ExportProgress -> file renamed into place
"""
