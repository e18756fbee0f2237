"""Shows a finished job where people already look: experiment trackers, the Hugging Face hub, webhooks."""
