"""Training and inference on this machine; torch is imported in this package alone."""
