"""The artist: a seed and tags come in, a drawing with known line art goes out."""
