"""From records to training examples: field mapping, sandboxed templates, messages."""
