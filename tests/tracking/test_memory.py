"""The shared memory of camera frames."""

import mmap
import os

import pytest

from gaze.tracking.memory import shared_memory


@pytest.mark.parametrize("has_memfd", [True, False])
def test_both_ends_see_the_same_memory_and_no_file_is_left(
    has_memfd: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_memfd:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    descriptor = shared_memory(8192)
    assert os.fstat(descriptor).st_size == 8192
    assert os.fstat(descriptor).st_nlink == 0
    with mmap.mmap(descriptor, 8192) as ours, mmap.mmap(os.dup(descriptor), 0) as theirs:
        ours[5000:5004] = b"gaze"
        assert theirs[5000:5004] == b"gaze"
    os.close(descriptor)
