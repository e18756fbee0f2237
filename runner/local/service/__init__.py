"""The OpenAI routes of the local service."""
