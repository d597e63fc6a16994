"""What a trained energy knows: measured on frames, not used in training."""
