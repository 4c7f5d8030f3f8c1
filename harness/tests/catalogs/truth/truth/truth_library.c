/* For ctypes. */
#include "burn.h"
