"""What each stage computes, as plain functions over plain data. Knows nothing of Luigi."""
