"""Pandas tables of a built dataset: posts, outcomes, measures, metrics."""
