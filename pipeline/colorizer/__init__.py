"""The line-art colorizer: from line art and hints to colour."""
