"""The network that the paper's authors released, in a class of its own: its quirks, its names, its file.

It differs from the paper and from :class:`~videoinr.model.video_inr.VideoINR` in more than its weights; nothing of
that enters the clean model.
"""
