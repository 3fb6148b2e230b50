"""Training: from a packed file to a colorizer and the log of its training."""
