"""Training of the networks of lines, `tracer` and `inker`, on the artbook's pages."""
