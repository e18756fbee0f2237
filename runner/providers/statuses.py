"""The statuses that a job keeps, in OpenAI's words; any other, known or not, may still change."""

WITHOUT_RESULT = ("failed", "cancelled")
TERMINAL = ("succeeded", *WITHOUT_RESULT)
