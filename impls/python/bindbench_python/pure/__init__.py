"""Plain Python: every loop is the interpreter's."""
