"""Memory that two processes share and that has no name: handed over by its descriptor."""

import os
import tempfile


def shared_memory(size_bytes: int) -> int:
    """Make memory to be mapped by several processes; it goes with its last descriptor.

    Parameters
    ----------
    size_bytes : int
        Its size.

    Returns
    -------
    int
        Its file descriptor, to be closed by the caller.

    Notes
    -----
    Linux has `memfd_create`; elsewhere a temporary file without a name takes its place. A named
    `multiprocessing.shared_memory` would outlive a server that is killed.
    """
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("camera frame")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, size_bytes)
    return descriptor
