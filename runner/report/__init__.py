"""Turns values into text for people and JSON for programs; reads, never decides."""
