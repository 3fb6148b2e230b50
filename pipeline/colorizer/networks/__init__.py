"""The networks of the colorizer as PyTorch modules, without training and without use."""
