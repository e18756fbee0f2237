"""What would train differently: two states of a recipe, compared by meaning."""
