# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, freethreading_compatible=True
"""call, kmp, std and bpe in Cython, calling the shared kernels library, holding the GIL."""
DEF RELEASE = False

include "types.pxi"
include "library.pxi"
include "border.pxi"
include "call.pxi"
include "kmp.pxi"
include "std.pxi"
include "bpe.pxi"
