"""Version-controlled fine-tuning: one YAML recipe in, one reproducible fine-tune and its lockfile out."""

__version__ = "0.1.0"
