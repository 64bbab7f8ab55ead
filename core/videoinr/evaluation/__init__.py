"""Evaluation: the literature's protocols and metrics, and baselines. Every figure comes with its protocol."""
