# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, freethreading_compatible=True
"""call, kmp and std in Cython, releasing the GIL around the kernel."""
DEF RELEASE = True

include "types.pxi"
include "kernels.pxi"
include "border.pxi"
include "call.pxi"
include "kmp.pxi"
include "std.pxi"
