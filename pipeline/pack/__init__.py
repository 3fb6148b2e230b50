"""Packing: from pictures and line art to the HDF5 files that people train from."""
