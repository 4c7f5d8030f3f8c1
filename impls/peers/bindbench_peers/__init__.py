"""Lanes that call the packages people use today, each in the way its own manual shows first."""
