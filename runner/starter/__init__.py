"""Guesses a starter recipe from a sample of a data file, and says what it guessed from what."""
