"""Films: probing, decoding, hosted and live sources, playback clocks, sound in step."""
