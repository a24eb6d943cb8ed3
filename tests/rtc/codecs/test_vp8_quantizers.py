"""Steps of VP8's quantizers (RFC 6386, section 14.1)."""

from gaze.rtc.codecs.vp8_quantizers import MAX_QUANTIZER, MIN_QUANTIZER, STEPS, quantizer_of


def test_the_steps_rise_from_4_to_284() -> None:
    assert len(STEPS) == 64
    assert list(STEPS) == sorted(set(STEPS))
    assert (STEPS[0], STEPS[63]) == (4, 284)


def test_the_finest_quantizer_that_is_coarse_enough_is_chosen_within_the_limits() -> None:
    assert quantizer_of(0.0) == MIN_QUANTIZER
    assert quantizer_of(1e6) == MAX_QUANTIZER
    assert STEPS[quantizer_of(60.5) - 1] < 60.5 <= STEPS[quantizer_of(60.5)]
