"""Evaluation: protocols of the literature, metrics on luma, baselines; every number comes with its protocol."""
