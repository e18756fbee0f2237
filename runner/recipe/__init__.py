"""From a YAML file to a typed recipe."""
