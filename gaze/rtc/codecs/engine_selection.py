"""Which engine encodes a stream: the best one that works here."""

import logging
from typing import Literal

from gaze.rtc.codecs import libvpx, libx264, nvidia_probe
from gaze.rtc.codecs.bundled_libs import Unavailable
from gaze.rtc.codecs.decoder import DecoderChoice
from gaze.rtc.codecs.engine import Engine, FrameSettings, StreamFormat
from gaze.rtc.codecs.ffmpeg_h264_engine import FfmpegX264Engine
from gaze.rtc.codecs.ffmpeg_vp8_engine import FfmpegVp8Engine
from gaze.rtc.codecs.libvpx_engine import LibvpxEngine
from gaze.rtc.codecs.libx264_engine import Libx264Engine
from gaze.rtc.codecs.nvenc_engine import NvencEngine

EncoderChoice = Literal["auto", "libvpx", "libx264", "nvenc"]

log = logging.getLogger(__name__)


def select_engine(
    codec: str, choice: EncoderChoice, stream: StreamFormat, settings: FrameSettings
) -> Engine:
    """Make the best engine for a codec that works here.

    Parameters
    ----------
    codec : str
        "VP8" or "H264", as negotiated.
    choice : EncoderChoice
        What the operator wants; where it does not fit or work, another engine takes its place.
    stream : StreamFormat
        Size and limits.
    settings : FrameSettings
        Of the first frame.

    Returns
    -------
    Engine
        Ready to encode that frame.
    """
    if codec == "VP8":
        try:
            return LibvpxEngine(stream, settings)
        except Unavailable as error:
            _warn_once(f"VP8 through FFmpeg, where a new bitrate is a key frame: {error}")
        return FfmpegVp8Engine(stream, settings)
    if choice in ("auto", "nvenc") and nvidia_probe.nvenc.works():
        try:
            return NvencEngine(stream, settings)
        except nvidia_probe.FAILURES as error:  # consumer cards take a few streams at a time
            _warn_once(f"NVENC takes no more streams; libx264 takes over: {error}")
    try:
        return Libx264Engine(stream, settings)
    except Unavailable as error:
        _warn_once(f"H.264 through FFmpeg, which follows a smaller bitrate slowly: {error}")
    return FfmpegX264Engine(stream, settings)


def describe(encoder: EncoderChoice, decoder: DecoderChoice) -> str:
    """Say what encodes and decodes here; tries what was not tried yet, so not on the event loop.

    Parameters
    ----------
    encoder : EncoderChoice
        What the operator wants.
    decoder : DecoderChoice
        The same.

    Returns
    -------
    str
        One line for the log.
    """
    return (
        f"encoding VP8 by {_describe_vp8()}, H264 by {_describe_h264(encoder)}; "
        f"decoding {_describe_decoding(decoder)}"
    )


def _describe_vp8() -> str:
    try:
        libvpx.load()
    except Unavailable as error:
        return f"{FfmpegVp8Engine.name} ({error})"
    return f"libvpx {libvpx.VERSION}"


def _describe_h264(choice: EncoderChoice) -> str:
    try:
        libx264.load()
        by_x264 = f"libx264 build {libx264.BUILD}"
    except Unavailable as error:
        by_x264 = f"{FfmpegX264Engine.name} ({error})"
    if choice not in ("auto", "nvenc"):
        return by_x264
    why_not = nvidia_probe.nvenc.reason()
    return f"{by_x264} (no NVENC: {why_not})" if why_not else "NVENC"


def _describe_decoding(choice: DecoderChoice) -> str:
    if choice == "software":
        return "in software"
    probes = nvidia_probe.nvdec
    if works := " and ".join(codec for codec in probes if probes[codec].works()):
        return f"{works} by NVDEC"
    return f"in software (no NVDEC: {probes['H264'].reason()})"


_warned: set[str] = set()


def _warn_once(text: str) -> None:
    if text not in _warned:
        _warned.add(text)
        log.warning(text)
