"""The clocks that media timestamps count in."""

VIDEO_CLOCK_HZ = 90_000
"""RTP clock of every video codec that browsers send or take (RFC 7741 section 4.1, RFC 6184
section 8.2.1), and of the frames between the parts of this package."""

AUDIO_SAMPLE_RATE_HZ = 48_000
"""RTP clock of Opus (RFC 7587 section 4.1), and the rate that sound is decoded to."""

AUDIO_BLOCK_SAMPLES = 960
"""Samples in 20 ms, "a good choice for most applications" of Opus (RFC 6716 section 2.1.4)."""
