"""The protocol between server and tracking process."""

import pickle

from gaze.tracking.protocol import LENGTH_BYTES, Step, packed


def test_a_message_follows_its_length() -> None:
    step = Step("point", (12.0, 34.0), 5.0)
    data = packed(step)
    length = int.from_bytes(data[:LENGTH_BYTES], "big")
    assert length == len(data) - LENGTH_BYTES
    assert pickle.loads(data[LENGTH_BYTES:]) == step
