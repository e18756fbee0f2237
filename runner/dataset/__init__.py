"""From examples to checked, split, content-addressed training files."""
