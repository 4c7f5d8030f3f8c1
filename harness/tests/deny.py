"""Run a program to which the kernel refuses system calls: `deny.py ERRNO perf_event_open,ptrace PROGRAM ARGUMENT…`.

A filter as containers have one (seccomp, mode 2), inherited by whatever the program starts.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

# x86-64's numbers.
CALLS = {"perf_event_open": 298, "process_vm_readv": 310, "ptrace": 101}

# Instructions of the filter (linux/bpf_common.h): load a word, jump if equal, return.
LOAD_WORD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2


class Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def instruction(code: int, if_true: int, if_false: int, operand: int) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, operand)


def main() -> None:
    refusal, calls, *command = sys.argv[1:]
    refuse = instruction(RETURN, 0, 0, ERRNO | getattr(errno, refusal))
    program = instruction(LOAD_WORD, 0, 0, 0)
    for call in calls.split(","):
        program += instruction(JUMP_IF_EQUAL, 0, 1, CALLS[call]) + refuse
    program += instruction(RETURN, 0, 0, ALLOW)
    memory = ctypes.create_string_buffer(program, len(program))
    loaded = Program(len(program) // 8, ctypes.addressof(memory))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(loaded), 0, 0)):
        if libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
