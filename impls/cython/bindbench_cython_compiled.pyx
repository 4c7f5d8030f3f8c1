# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, freethreading_compatible=True
"""call, kmp, std and bpe in Cython, holding the GIL."""
DEF RELEASE = False  # the GIL: see the `with nogil(RELEASE)` of the operations

include "types.pxi"
include "kernels.pxi"
include "bpe_kernel.pxi"
include "border.pxi"
include "call.pxi"
include "kmp.pxi"
include "std.pxi"
include "bpe.pxi"
