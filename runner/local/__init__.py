"""The embedded fine-tuning service."""
