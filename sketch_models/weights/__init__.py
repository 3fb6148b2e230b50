"""Weight files: a name or a path comes in, a verified file and its tensors go out."""
