"""The screen: from pictures to their statistics, which of them are kept, and duplicates."""
