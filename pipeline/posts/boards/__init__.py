"""The boards whose APIs Senga speaks, one module for each of their programs."""
