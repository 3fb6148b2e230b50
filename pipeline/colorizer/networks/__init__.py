"""The networks of the colorizer, as PyTorch modules; what trains and uses them is elsewhere."""
