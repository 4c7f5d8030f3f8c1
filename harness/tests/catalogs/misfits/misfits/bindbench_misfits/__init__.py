"""Lanes that go wrong, one module each; `add` is all they have."""
