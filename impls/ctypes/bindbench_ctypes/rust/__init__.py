"""As ctypes is meant to be used: few calls, whole arrays, memory borrowed in and copied out in bulk."""
