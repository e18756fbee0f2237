"""Scores answers with graders of the OpenAI kinds; knows neither recipes nor the service."""
