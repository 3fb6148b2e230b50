"""The line-art colorizer: line art and hints come in, paintings go out."""
