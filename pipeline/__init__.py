"""The computations of each stage, as plain functions over plain data, without Luigi."""
