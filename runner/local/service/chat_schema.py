"""What a chat request may hold, as JSON Schema: names and ranges of OpenAI's document (2026-08-21)."""

from typing import Any

from runner.local.service.schemas import METADATA, nullable

_TEXT = {"type": "string"}
_POSITIVE = {"type": "integer", "minimum": 1}
_PENALTY = {"type": "number", "minimum": -2, "maximum": 2}
FUNCTION_NAME = "^[a-zA-Z0-9_-]{1,64}$"
_FUNCTION = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": FUNCTION_NAME},
        "description": nullable(_TEXT),
        "parameters": nullable({"type": "object"}),
        "strict": nullable({"type": "boolean"}),
    },
    "required": ["name"],
    "additionalProperties": False,
}
_TOOL = {
    "type": "object",
    "properties": {"type": {"enum": ["function"]}, "function": _FUNCTION},
    "required": ["type", "function"],
    "additionalProperties": False,
}
_RESPONSE_FORMAT = {
    "type": "object",
    "properties": {
        "type": {"enum": ["text", "json_object", "json_schema"]},
        "json_schema": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "pattern": FUNCTION_NAME},
                "description": nullable(_TEXT),
                "schema": nullable({"type": "object"}),
                "strict": nullable({"type": "boolean"}),
            },
            "required": ["name"],
            "additionalProperties": False,
        },
    },
    "required": ["type"],
    "if": {"properties": {"type": {"const": "json_schema"}}},
    "then": {"required": ["json_schema"]},
    "additionalProperties": False,
}
PROPERTIES: dict[str, Any] = {
    "model": {"type": "string", "minLength": 1},
    "messages": {"type": "array", "minItems": 1},
    "frequency_penalty": nullable(_PENALTY),
    "logit_bias": nullable(
        {
            "type": "object",
            "propertyNames": {"pattern": "^[0-9]{1,9}$"},
            "additionalProperties": {"type": "number", "minimum": -100, "maximum": 100},
        }
    ),
    "logprobs": nullable({"type": "boolean"}),
    "max_completion_tokens": nullable(_POSITIVE),
    "max_tokens": nullable(_POSITIVE),
    "metadata": nullable(METADATA),
    "n": nullable({"type": "integer", "minimum": 1, "maximum": 128}),
    "parallel_tool_calls": nullable({"type": "boolean"}),
    "presence_penalty": nullable(_PENALTY),
    "prompt_cache_key": nullable(_TEXT),
    "response_format": nullable(_RESPONSE_FORMAT),
    "safety_identifier": nullable({"type": "string", "maxLength": 64}),
    "seed": nullable({"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}),
    "stop": nullable(
        {
            "if": {"type": "string"},
            "else": {"type": "array", "maxItems": 4, "items": {"type": "string", "minLength": 1}},
        }
    ),
    "store": nullable({"type": "boolean"}),
    "stream": nullable({"type": "boolean"}),
    "stream_options": nullable(
        {
            "type": "object",
            "properties": {
                "include_usage": {"type": "boolean"},
                "include_obfuscation": {"type": "boolean"},
            },
            "additionalProperties": False,
        }
    ),
    "temperature": nullable({"type": "number", "minimum": 0, "maximum": 2}),
    "tool_choice": nullable(
        {
            "if": {"type": "string"},
            "then": {"enum": ["none", "auto", "required"]},
            "else": {
                "type": "object",
                "properties": {
                    "type": {"enum": ["function"]},
                    "function": {
                        "type": "object",
                        "properties": {"name": _TEXT},
                        "required": ["name"],
                        "additionalProperties": False,
                    },
                },
                "required": ["type", "function"],
                "additionalProperties": False,
            },
        }
    ),
    "tools": nullable({"type": "array", "maxItems": 128, "items": _TOOL}),
    "top_logprobs": nullable({"type": "integer", "minimum": 0, "maximum": 20}),
    "top_p": nullable({"type": "number", "minimum": 0, "maximum": 1}),
    "user": nullable(_TEXT),
}
CHAT = {"type": "object", "properties": PROPERTIES, "required": ["messages", "model"]}
# Parameters of the hosted API that are accepted only where they ask for nothing.
NEUTRAL: dict[str, tuple[Any, ...]] = {
    "audio": (),
    "modalities": (["text"],),
    "moderation": (),
    "prediction": (),
    "prompt_cache_options": (),
    "prompt_cache_retention": ("in_memory",),
    "reasoning_effort": ("none",),
    "service_tier": ("auto", "default"),
    "verbosity": ("medium",),
    "web_search_options": (),
}
OUTDATED = {"functions": "tools", "function_call": "tool_choice"}
