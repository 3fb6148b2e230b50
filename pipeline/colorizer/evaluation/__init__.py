"""Evaluation: from colorizers and test pictures to scores, figures and a page."""
