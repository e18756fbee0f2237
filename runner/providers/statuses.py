"""The statuses that a job keeps, in OpenAI's words; any other, known or not, may still change."""

TERMINAL = ("succeeded", "failed", "cancelled")
