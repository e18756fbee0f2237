"""Recipes from the settings of other tools: one module each, with a table of its keys."""
