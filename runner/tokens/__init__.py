"""Tokens of a finished dataset: counted exactly where that can be done offline, once per content."""
