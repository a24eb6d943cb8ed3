"""VP8 by libvpx itself: bitrate and speed change while it runs."""

import av

from gaze.rtc.codecs import libvpx_encoder, vp8_quantizers
from gaze.rtc.codecs.encoded_image import EncodedImage
from gaze.rtc.codecs.engine import FrameSettings, StreamFormat

CPU_USED = (-4, -5, -6, -8, -12, -14)
"""libvpx's cpu-used of each speed. Beyond -14 it hardly searches for motion: 30 dB where -14 has
45, and no quicker (measured by hand; no benchmark covers it)."""

STEP_SMOOTHING = 0.2  # of the usual quantizer step: chosen by hand


class LibvpxEngine:
    """See `Engine`.

    A key frame that is requested is made by a fresh encoder: libvpx guesses a key frame's quantizer
    from the frames before, and after a cut of the bitrate makes one several times as large as the
    limit; that limit holds for an encoder's first frame.
    """

    name = "libvpx"
    speeds = len(CPU_USED)

    def __init__(self, stream: StreamFormat, settings: FrameSettings) -> None:
        """Open the encoder.

        Parameters
        ----------
        stream : StreamFormat
            Size and limits.
        settings : FrameSettings
            Of the first frame.
        """
        self._stream = stream
        self._encoder = self._fresh_encoder(settings)
        self._begun = False
        self._usual_step = 0.0

    def encode(self, frame: av.VideoFrame, pts: int, settings: FrameSettings) -> EncodedImage:
        """See `Engine`."""
        if settings.key_frame and self._begun:
            self._encoder = self._fresh_encoder(settings)
        self._begun = True
        encoder = self._encoder
        encoder.bitrate_bps = round(settings.bitrate_bps)
        encoder.cpu_used = CPU_USED[settings.speed]
        scaled = settings.quantizer_scale > 1
        encoder.min_quantizer = (
            vp8_quantizers.quantizer_of(settings.quantizer_scale * self._usual_step)
            if scaled
            else vp8_quantizers.MIN_QUANTIZER
        )
        encoded = encoder.encode(frame, settings.duration)
        if not scaled:
            self._usual_step += STEP_SMOOTHING * (encoder.step - self._usual_step)
        return encoded

    def _fresh_encoder(self, settings: FrameSettings) -> libvpx_encoder.Vp8Encoder:
        stream = self._stream
        return libvpx_encoder.Vp8Encoder(
            stream.width,
            stream.height,
            round(settings.bitrate_bps),
            CPU_USED[settings.speed],
            stream.threads,
        )
