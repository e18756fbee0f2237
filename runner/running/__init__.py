"""A plan done: its jobs started, followed to their ends, and locked."""
