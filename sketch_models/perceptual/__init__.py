"""Networks that judge pictures: each is read from a published file and gives features or scores."""
