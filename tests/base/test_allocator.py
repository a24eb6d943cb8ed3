"""The C allocator's settings."""

import gc
import weakref

from gaze.base.allocator import give_back


class _Node:
    def __init__(self) -> None:
        self.itself = self


def test_what_only_cycles_hold_is_freed() -> None:
    gc.disable()
    try:
        held = weakref.ref(_Node())
        assert held() is not None
        give_back()
        assert held() is None
    finally:
        gc.enable()
