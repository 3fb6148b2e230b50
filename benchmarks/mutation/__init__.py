"""Small wrong changes to modules, and whether the tests that mirror them notice."""
