"""The sources of posts: what each needs, what its posts depend on, and how they are imported."""
