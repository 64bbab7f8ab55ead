"""The clips and photographs that a training run draws its batches from."""
