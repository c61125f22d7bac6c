"""Keeps large buffers with the process: training on glibc spends half its time in page faults."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3


def keep_buffers():
    """Make malloc reuse blocks up to 1 GiB; does nothing where the C library is not glibc."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(M_MMAP_THRESHOLD, 1 << 30)
        libc.mallopt(M_TRIM_THRESHOLD, -1)
