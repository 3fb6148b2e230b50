"""Training: a packed file and a recipe come in, a colorizer and the log of its training go out."""
