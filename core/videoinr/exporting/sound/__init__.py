"""Sound of an export: copied, cut to the segment and encoded, or stretched with its pitch kept.

file -> SoundSource.blocks (float32, from the segment's first sample) -> stretched -> fitted (exact length) -> packets
"""
