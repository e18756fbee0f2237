"""What request bodies may hold, as JSON Schema: the ranges are those of OpenAI's document (2026-08-21)."""

from typing import Any

from runner.local.service.storing import PURPOSES

MAX_SEED = 2147483647


def _or_auto(number: dict[str, Any], accepted: str) -> dict[str, Any]:
    # `if` instead of `anyOf`, so that the error names the bound that was broken, and of a text what is taken.
    text = {"const": "auto", "description": f"'auto' or {accepted}"}
    return {"if": {"type": "string"}, "then": text, "else": number}


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema that null fits too."""
    return {"if": {"type": "null"}, "else": schema}


def _closed(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


_SHARED: dict[str, dict[str, Any]] = {
    "n_epochs": _or_auto({"type": "integer", "minimum": 1, "maximum": 50}, "an integer from 1 to 50"),
    "batch_size": _or_auto({"type": "integer", "minimum": 1, "maximum": 256}, "an integer from 1 to 256"),
    "learning_rate_multiplier": _or_auto({"type": "number", "exclusiveMinimum": 0}, "a number above 0"),
}
# What OpenAI's API has no words for, see runner.local.training.job.TrainingOptions.
OPTIONS: dict[str, dict[str, Any]] = {
    "adapter": {"enum": ["lora", "qlora", "none"]},
    "lora_r": {"type": "integer", "minimum": 1, "maximum": 1024},
    "lora_alpha": {"type": "integer", "minimum": 1, "maximum": 4096},
    "lora_dropout": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
    "early_stopping_patience": {"type": "integer", "minimum": 1, "maximum": 50},
    "early_stopping_threshold": {"type": "number", "minimum": 0},
    "load_best_model_at_end": {"type": "boolean"},
}
_SHARED |= OPTIONS
HYPERPARAMETERS = _closed(_SHARED)
_BETA = _or_auto({"type": "number", "exclusiveMinimum": 0, "maximum": 2}, "a number above 0 and at most 2")
_COMPUTE = _or_auto(
    {"type": "number", "exclusiveMinimum": 0.00001, "maximum": 10}, "a number above 0.00001 and at most 10"
)
METHODS = {
    "supervised": _closed({"hyperparameters": nullable(HYPERPARAMETERS)}),
    "dpo": _closed({"hyperparameters": nullable(_closed({**_SHARED, "beta": _BETA}))}),
    "reinforcement": _closed(
        {
            "grader": {"type": "object"},
            "hyperparameters": nullable(_closed({**_SHARED, "compute_multiplier": _COMPUTE})),
        },
        "grader",
    ),
}
METADATA = {
    "type": "object",
    "maxProperties": 16,
    "propertyNames": {"maxLength": 64},
    "additionalProperties": {"type": "string", "maxLength": 512},
}
# An hour to thirty days, as in OpenAI's document (2026-08-21).
EXPIRY = _closed(
    {
        "anchor": {"const": "created_at"},
        "seconds": {"type": "integer", "minimum": 3600, "maximum": 2592000},
    },
    "anchor",
    "seconds",
)
EXPIRES_AFTER = _closed({"expires_after": EXPIRY})
UPLOAD = _closed(
    {
        "filename": {"type": "string", "minLength": 1},
        "purpose": {"enum": list(PURPOSES)},
        "bytes": {"type": "integer", "minimum": 0},
        "mime_type": {"type": "string", "minLength": 1},
        "expires_after": nullable(EXPIRY),
    },
    "filename",
    "purpose",
    "bytes",
    "mime_type",
)
UPLOAD_COMPLETION = _closed(
    {
        "part_ids": {"type": "array", "minItems": 1, "items": {"type": "string"}},
        "md5": nullable({"type": "string"}),
    },
    "part_ids",
)
_INTEGRATION = _closed(
    {
        "type": {"const": "wandb"},
        "wandb": _closed(
            {
                "project": {"type": "string"},
                "name": nullable({"type": "string"}),
                "entity": nullable({"type": "string"}),
                "tags": nullable({"type": "array", "items": {"type": "string"}}),
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


def _needed(method: str) -> list[str]:
    return ["reinforcement"] if method == "reinforcement" else []


_METHOD = {name: nullable({"type": "object"}) for name in METHODS}
JOB = _closed(
    {
        "model": {"type": "string", "minLength": 1},
        "training_file": {"type": "string", "minLength": 1},
        "validation_file": nullable({"type": "string", "minLength": 1}),
        "hyperparameters": nullable(HYPERPARAMETERS),
        # What belongs to a method that is not chosen has no effect, at the hosted service either.
        "method": {
            **_closed({"type": {"enum": list(METHODS)}, **_METHOD}, "type"),
            "allOf": [
                {
                    "if": {"properties": {"type": {"const": name}}},
                    "then": {"properties": {name: nullable(schema)}, "required": _needed(name)},
                }
                for name, schema in METHODS.items()
            ],
        },
        "suffix": nullable({"type": "string", "minLength": 1, "maxLength": 64}),
        "seed": nullable({"type": "integer", "minimum": 0, "maximum": MAX_SEED}),
        "metadata": nullable(METADATA),
        "integrations": nullable({"type": "array", "maxItems": 5, "items": _INTEGRATION}),
    },
    "model",
    "training_file",
)
