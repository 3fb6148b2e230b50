"""The artist: from a post id to a drawing with known line art."""
