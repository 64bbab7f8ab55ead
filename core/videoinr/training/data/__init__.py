"""Training data: clips and photographs, their screening and storage, augmentation, degradation and batches."""
