"""The report on a build: a page with its numbers and contact sheets."""
