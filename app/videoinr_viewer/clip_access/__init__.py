"""A second way to the open clip, beside the render thread: single frames, thumbnails and cuts."""
