"""Encoders: two frames in, a latent feature (and perhaps a motion prior) out. One file each."""
