"""The networks of the colorizer as PyTorch modules, without their training."""
