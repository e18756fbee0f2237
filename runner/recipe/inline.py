"""Whether all templates of a recipe are in the recipe itself."""

from runner.recipe.model import MessageTemplate, Recipe

# What a Jinja template says to read another: https://jinja.palletsprojects.com/en/stable/templates/ (2026-11)
_READING = ("include", "import", "extends")


def may_read_templates(recipe: Recipe) -> bool:
    """Whether a template may stand in a file; True also for one that has such a word in its text."""
    parts = (part for template in recipe.templates for part in template.parts.values())
    messages = [message for part in parts for message in part if isinstance(message, MessageTemplate)]
    texts = [*(template.system for template in recipe.templates), *(message.content for message in messages)]
    return any(message.content_file is not None for message in messages) or any(
        word in text for text in texts if text is not None for word in _READING
    )
