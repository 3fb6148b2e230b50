"""Evaluation: colorizers and test pictures come in, scores, figures and a page go out."""
