"""Posts: a CSV, a board or Kaggle comes in, tables of the posts that are wanted go out."""
