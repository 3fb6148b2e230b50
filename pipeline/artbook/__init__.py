"""The artbook: endless pictures and rough sketches whose lines are known exactly."""
