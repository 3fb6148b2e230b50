"""Networks for perceptual losses and metrics, each with the reader of its published file."""
