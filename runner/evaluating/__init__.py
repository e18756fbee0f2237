"""The stages of an evaluation in order; `evaluate` is the module to read first."""
