"""The representation: encoder -> latent feature -> SpatialINR -> TemporalINR -> warp -> RGB (paper, section 3)."""
