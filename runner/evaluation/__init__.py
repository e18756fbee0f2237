"""Asks models and baselines the same questions, scores and compares what they answer, and decides a gate."""
