"""Weight files: from a name or a path to a verified file and its tensors."""
