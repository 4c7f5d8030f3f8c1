"""As ctypes is often used: arrays filled from a list, results read by index."""
