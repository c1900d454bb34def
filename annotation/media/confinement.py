"""What a child takes away from itself before it touches an upload: memory, time, files, network, life without parent.

Plain libc calls, so that it works before numpy and libav are loaded; what a machine does not offer (another system,
a kernel without namespaces) is left out, and the limits that every Unix has stay.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_CPU_GRACE_S = 5
OPEN_FILES = 64


def limit(memory: int, cpu_s: int, output_bytes: int) -> None:
    """Cap address space, processor time and file size. Over them: MemoryError, SIGXCPU, EFBIG."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    _cap(resource.RLIMIT_AS, memory, memory)
    _cap(resource.RLIMIT_CPU, cpu_s, cpu_s + _CPU_GRACE_S)
    _cap(resource.RLIMIT_FSIZE, output_bytes, output_bytes)
    _cap(resource.RLIMIT_NOFILE, OPEN_FILES, OPEN_FILES)
    _cap(resource.RLIMIT_CORE, 0, 0)


def _cap(what: int, soft: int, hard: int) -> None:
    _, most = resource.getrlimit(what)
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    try:
        resource.setrlimit(what, (soft, hard))
    except (ValueError, OSError):  # macOS does not cap address space
        return


def cut_network() -> bool:
    """Move into a network without interfaces, where the kernel lets us; whether it did."""
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.unshare(_CLONE_NEWNET) == 0 or libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0


def give_up_privileges() -> None:
    """No set-user-id program gives anything back, and nobody may look into this process."""
    if sys.platform.startswith("linux"):
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def die_with_parent(parent: int) -> None:
    """Be killed when the thread that started us ends. Only for children of a thread that waits for them."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
