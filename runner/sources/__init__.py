"""From source files to records, one small module per format."""
