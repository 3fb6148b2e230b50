"""Exports: the pictures of a build and their line art in the formats of other trainers."""
