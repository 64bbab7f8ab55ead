"""The strips around the picture: the status line, messages, and what an empty window says."""
