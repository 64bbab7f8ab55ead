"""The inputs of the first layer of each head of :class:`~videoinr.model.video_inr.VideoINR`, as the index of
:meth:`~videoinr.model.siren.SplitLinear.project`. Their order is part of the format of weights files.
"""

SPATIAL_LATENT, SPATIAL_OFFSET = 0, 1
"""Of SpatialINR f_s (eq. 2): z*, and x - v*."""
TEMPORAL_FIELD, TEMPORAL_LATENT, TEMPORAL_TIME = 0, 1, 2
"""Of TemporalINR f_t (eq. 4): F_s(x), the latent feature at x, and t.

The one network that a config with ``single_network`` has in the place of f_s and f_t reads z*, x - v* and t, at
:data:`SPATIAL_LATENT`, :data:`SPATIAL_OFFSET` and :data:`TEMPORAL_TIME`.
"""
DECODER_FIELDS, DECODER_LATENTS, DECODER_TIME = (0, 1), (2, 3), 4
"""Of the decoder (section 3.4): F_s and the latent feature where the flow to the first frame leads, and where that to
the second leads; and t."""
