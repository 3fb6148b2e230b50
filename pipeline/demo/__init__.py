"""The web demo: draw lines, add colour hints, get a coloured picture."""
