"""The line-art colorizer: networks, training, evaluation and use."""
