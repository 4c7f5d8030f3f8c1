"""Three ways to call a shared library with ctypes."""
