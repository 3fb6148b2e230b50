"""Pictures: posts come in, the bytes at their URLs and a row for every URL go out."""
