"""Playback of decoded pictures: which ones a stretch needs, the cache that keeps them, and their sound."""
