"""Runs a plan exactly once and follows its job."""
