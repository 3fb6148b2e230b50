"""The dataset: pictures and line art come in, the HDF5 files that people train from go out."""
