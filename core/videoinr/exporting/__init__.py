"""Export: writes a segment of a clip to a file, at any frame rate, speed and scale, by the window's own decoder.

ExportOptions, ClipInfo -> ExportJob -> one RegionQuery per instant -> Engine.render -> Sink -> OUT.part -> OUT
"""
