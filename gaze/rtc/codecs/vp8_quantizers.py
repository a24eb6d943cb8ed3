"""How coarse each of VP8's quantizers is (RFC 6386, section 14.1)."""

import bisect

# The step of the AC coefficients for each of the format's 128 indices, and which of them libvpx's
# quantizers 0 to 63 stand for (vp8/encoder/onyx_if.c: q_trans).
_AC_STEPS: tuple[int, ...] = (
    *range(4, 59),
    *range(60, 117, 2),
    *range(119, 156, 3),
    *range(158, 174, 3),
    *range(177, 230, 4),
    *(234, 239, 245, 249, 254, 259, 264, 269, 274, 279, 284),
)
_INDICES = (
    *(0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 15, 17, 18, 19, 20, 21),
    *(23, 24, 25, 26, 27, 28, 29, 30, 31),
    *range(33, 62, 2),
    *range(64, 125, 3),
    127,
)
STEPS: tuple[int, ...] = tuple(_AC_STEPS[index] for index in _INDICES)
"""Step of the AC coefficients for each of libvpx's quantizers."""

MIN_QUANTIZER, MAX_QUANTIZER = 2, 56  # as libwebrtc and aiortc set them for VP8


def quantizer_of(step: float) -> int:
    """Give the finest quantizer that is at least as coarse as a step.

    Parameters
    ----------
    step : float
        Of the AC coefficients.

    Returns
    -------
    int
        Within MIN_QUANTIZER and MAX_QUANTIZER.
    """
    quantizer = bisect.bisect_left(STEPS, step)
    return min(max(quantizer, MIN_QUANTIZER), MAX_QUANTIZER)
