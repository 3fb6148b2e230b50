"""What people read from a built dataset: pandas tables of posts, outcomes, measures, metrics."""
