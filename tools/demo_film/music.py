"""The demo film's sound: a slow harp over soft chords, and small waves against a quay."""

import math

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 48_000

_BAR_S = 5.0
_CHORDS = (
    (45, 52, 60, 64, 71),
    (41, 53, 57, 60, 64),
    (48, 55, 60, 64, 71),
    (43, 50, 59, 62, 69),
    (41, 53, 57, 64, 67),
    (48, 55, 60, 64, 72),
)
_MELODY = (
    (0.0, 76), (1.25, 79), (2.5, 83), (3.75, 81),
    (5.0, 81), (6.25, 79), (7.5, 76), (8.75, 72),
    (10.0, 79), (11.25, 83), (12.5, 84), (13.75, 83),
    (15.0, 81), (15.625, 83), (16.25, 79), (17.5, 74),
    (20.0, 76), (21.25, 77), (22.5, 81), (23.75, 79),
    (25.0, 79), (25.625, 76), (26.25, 74), (27.5, 72),
)  # fmt: skip


def music(duration_s: float) -> NDArray[np.int16]:
    """The sound, int16 of shape (samples, 2) at 48 kHz, soft at both ends so that it may repeat."""
    samples = round(duration_s * SAMPLE_RATE_HZ)
    mix = np.zeros((samples, 2), np.float32)
    for bar, chord in enumerate(_CHORDS):
        for voice, note in enumerate(chord):
            _add(mix, _pad(note), bar * _BAR_S - 0.4, 0.055, 0.2 + 0.15 * voice)
        for step, note in enumerate((*chord[1:], *chord[-2:0:-1])):
            _add(mix, _harp(note + 12), bar * _BAR_S + step * 0.625, 0.07, 0.3 + 0.06 * step)
    for number, (at_s, note) in enumerate(_MELODY):
        _add(mix, _harp(note), at_s, 0.17, 0.45 + 0.1 * math.sin(number * 1.7))
    mix += _room(mix) + _waves(samples)
    mix *= 0.5 / np.abs(mix).max()
    ramp = np.clip(np.arange(samples) / (0.8 * SAMPLE_RATE_HZ), 0, 1).astype(np.float32)
    mix *= (np.sin(ramp * math.pi / 2) * np.sin(ramp[::-1] * math.pi / 2))[:, None]
    return np.asarray(np.rint(mix * 32767), np.int16)


def _hertz(note: int) -> float:
    """Frequency of a MIDI note number."""
    return 440.0 * float(2.0 ** ((note - 69) / 12))


def _add(
    mix: NDArray[np.float32], tone: NDArray[np.float32], at_s: float, level: float, pan: float
) -> None:
    start = round(at_s * SAMPLE_RATE_HZ)
    tone = tone[max(0, -start) : max(0, len(mix) - start)]
    place = slice(max(0, start), max(0, start) + len(tone))
    mix[place, 0] += level * math.cos(pan * math.pi / 2) * tone
    mix[place, 1] += level * math.sin(pan * math.pi / 2) * tone


def _pad(note: int) -> NDArray[np.float32]:
    t = np.arange(round(7.0 * SAMPLE_RATE_HZ), dtype=np.float32) / SAMPLE_RATE_HZ
    hertz = _hertz(note)
    tone = sum(
        np.sin(2 * math.pi * hertz * part * detune * t) / part**2.2
        for part in (1, 2, 3)
        for detune in (0.9985, 1.0, 1.0016)
    )
    swell = np.clip(t / 1.8, 0, 1) * np.clip((7.0 - t) / 2.2, 0, 1)
    return np.asarray(tone * np.sin(swell * math.pi / 2) ** 2, np.float32)


def _harp(note: int) -> NDArray[np.float32]:
    t = np.arange(round(3.2 * SAMPLE_RATE_HZ), dtype=np.float32) / SAMPLE_RATE_HZ
    hertz = _hertz(note)
    tone = sum(
        np.sin(2 * math.pi * hertz * part * t) * np.exp(-t * (1.3 + 0.9 * part)) / part**1.6
        for part in range(1, 6)
    )
    return np.asarray(tone * np.clip(t / 0.006, 0, 1) * np.clip((3.2 - t) / 0.4, 0, 1), np.float32)


def _room(mix: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same from a hall: convolved with noise that dies away and loses its treble."""
    rng = np.random.default_rng(3)
    length = round(2.4 * SAMPLE_RATE_HZ)
    t = np.arange(length, dtype=np.float32)[:, None] / SAMPLE_RATE_HZ
    tail = rng.standard_normal((length, 2)).astype(np.float32) * np.exp(-t * 2.6)
    tail = np.cumsum(tail, 0) - np.vstack((np.zeros((12, 2)), np.cumsum(tail, 0)[:-12]))
    size = 1 << (len(mix) + length).bit_length()
    wet = np.fft.irfft(np.fft.rfft(mix, size, 0) * np.fft.rfft(tail, size, 0), size, 0)
    return np.asarray(wet[: len(mix)] * (0.55 * np.abs(mix).max() / np.abs(wet).max()), np.float32)


def _waves(samples: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(5)
    frequency = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE_HZ)[:, None]
    colour = 1 / (1 + (frequency / 420) ** 1.5) * (frequency > 60)
    spectrum = np.fft.rfft(rng.standard_normal((samples, 2)), axis=0) * colour
    noise = np.fft.irfft(spectrum, samples, 0)
    t = np.arange(samples)[:, None] / SAMPLE_RATE_HZ
    swell = 0.35 + 0.65 * np.sin(math.pi * t / 4.3 + np.array((0.0, 0.7))) ** 2
    return np.asarray(noise / noise.std() * swell * 0.012, np.float32)
