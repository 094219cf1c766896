"""The one training loop: configuration, checkpoints, resume, metrics."""
