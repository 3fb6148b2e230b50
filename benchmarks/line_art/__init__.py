"""Pictures with known lines that nothing was trained on, ways to find lines, and their scores."""
