"""The network that the paper's authors released: its formulae, the names of its tensors, and the import of its file.

It differs from the paper, and from :class:`~videoinr.model.video_inr.VideoINR`, in more than its weights. All that is
kept in this package.
"""
