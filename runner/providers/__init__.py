"""The only code that talks to a fine-tuning API."""
