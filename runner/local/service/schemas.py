"""What request bodies may hold, as JSON Schema: the ranges are those of OpenAI's API (2026-08)."""

from typing import Any

from runner.local.service.storing import PURPOSES

MAX_SEED = 2147483647


def _or_auto(number: dict[str, Any]) -> dict[str, Any]:
    # `if` instead of `anyOf`, so that the error names the bound that was broken.
    return {"if": {"type": "string"}, "then": {"const": "auto"}, "else": number}


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {"if": {"type": "null"}, "else": schema}


def _closed(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


HYPERPARAMETERS = _closed(
    {
        "n_epochs": _or_auto({"type": "integer", "minimum": 1, "maximum": 50}),
        "batch_size": _or_auto({"type": "integer", "minimum": 1, "maximum": 256}),
        "learning_rate_multiplier": _or_auto({"type": "number", "exclusiveMinimum": 0}),
    }
)
METADATA = {
    "type": "object",
    "maxProperties": 16,
    "propertyNames": {"maxLength": 64},
    "additionalProperties": {"type": "string", "maxLength": 512},
}
# An hour to thirty days: https://developers.openai.com/api/reference/resources/files (2026-08)
_EXPIRY = _closed(
    {
        "anchor": {"const": "created_at"},
        "seconds": {"type": "integer", "minimum": 3600, "maximum": 2592000},
    },
    "anchor",
    "seconds",
)
EXPIRES_AFTER = _closed({"expires_after": _EXPIRY})
UPLOAD = _closed(
    {
        "filename": {"type": "string", "minLength": 1},
        "purpose": {"enum": list(PURPOSES)},
        "bytes": {"type": "integer", "minimum": 1},
        "mime_type": {"type": "string", "minLength": 1},
        "expires_after": _nullable(_EXPIRY),
    },
    "filename",
    "purpose",
    "bytes",
    "mime_type",
)
UPLOAD_COMPLETION = _closed(
    {
        "part_ids": {"type": "array", "minItems": 1, "items": {"type": "string"}},
        "md5": _nullable({"type": "string"}),
    },
    "part_ids",
)
_INTEGRATION = _closed(
    {
        "type": {"const": "wandb"},
        "wandb": _closed(
            {
                "project": {"type": "string"},
                "name": _nullable({"type": "string"}),
                "entity": _nullable({"type": "string"}),
                "tags": _nullable({"type": "array", "items": {"type": "string"}}),
            },
            "project",
        ),
    },
    "type",
    "wandb",
)
PERMISSIONS = _closed(
    {
        "project_ids": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "minLength": 1, "maxLength": 64},
        }
    },
    "project_ids",
)
JOB = _closed(
    {
        "model": {"type": "string", "minLength": 1},
        "training_file": {"type": "string", "minLength": 1},
        "validation_file": _nullable({"type": "string", "minLength": 1}),
        "hyperparameters": _nullable(HYPERPARAMETERS),
        # What belongs to a method that is not chosen has no effect, at the hosted service either.
        "method": _closed(
            {
                "type": {"type": "string"},
                "supervised": _nullable(_closed({"hyperparameters": _nullable(HYPERPARAMETERS)})),
                "dpo": _nullable({"type": "object"}),
                "reinforcement": _nullable({"type": "object"}),
            },
            "type",
        ),
        "suffix": _nullable({"type": "string", "minLength": 1, "maxLength": 64}),
        "seed": _nullable({"type": "integer", "minimum": 0, "maximum": MAX_SEED}),
        "metadata": _nullable(METADATA),
        "integrations": _nullable({"type": "array", "maxItems": 5, "items": _INTEGRATION}),
    },
    "model",
    "training_file",
)
_POSITIVE = {"type": "integer", "minimum": 1}
CHAT = {
    "type": "object",
    "properties": {
        "model": {"type": "string", "minLength": 1},
        "messages": {"type": "array", "minItems": 1},
        "max_tokens": _nullable(_POSITIVE),
        "max_completion_tokens": _nullable(_POSITIVE),
        "temperature": _nullable({"type": "number", "minimum": 0, "maximum": 2}),
        "top_p": _nullable({"type": "number", "exclusiveMinimum": 0, "maximum": 1}),
        "seed": _nullable({"type": "integer"}),
        "stop": _nullable(
            {
                "if": {"type": "string"},
                "else": {"type": "array", "maxItems": 4, "items": {"type": "string", "minLength": 1}},
            }
        ),
        "stream": _nullable({"type": "boolean"}),
        "stream_options": _nullable(
            _closed({"include_usage": {"type": "boolean"}, "include_obfuscation": {}})
        ),
    },
    "required": ["model", "messages"],
}
