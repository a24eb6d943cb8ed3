"""Encoding through FFmpeg."""

import pytest
from av.video.frame import PictureType

from gaze.rtc.codecs import ffmpeg_codec
from tests.rtc.codecs.engine_settings import FRAME_TICKS, MEGA, STREAM, settings
from tests.rtc.codecs.moving_texture import frame


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("libvpx", {"deadline": "realtime", "lag-in-frames": "0"}),
        ("libx264", {"tune": "zerolatency"}),
    ],
)
def test_a_key_frame_is_made_on_request_only(name: str, options: dict[str, str]) -> None:
    context = ffmpeg_codec.make_context(name, STREAM, MEGA)
    context.options = options
    made = []
    for index in range(12):
        source = frame(index)
        source.pict_type = PictureType.I  # as a decoded key frame has it
        one = settings(key_frame=index == 5)
        made.append(ffmpeg_codec.encode(context, source, index * FRAME_TICKS, one))
    assert [index for index, encoded in enumerate(made) if encoded.is_key_frame] == [0, 5]
    assert all(encoded.data for encoded in made)
