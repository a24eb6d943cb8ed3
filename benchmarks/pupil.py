"""The light reflex taken out, and pupils cleaned: `python -m benchmarks.pupil [--data DATA]`.

Light: twenty simulated viewers watch a film whose luminance steps between dark and bright
every 4 to 8 seconds. Their pupils follow Pamplona, Oliveira and Baranoski (2009, "Photorealistic
models for pupil light reflex and iridal pattern deformation"), another model than the one that
takes the reflex out, with a latency, strength and speed of their own, a slow unrest of their own
and the noise of a webcam. What is left of the mean response to a step is compared with the whole.

Cleaning: recordings of diameters (`*.tsv` of a Tobii, decimal commas, and `task_evoked*.csv`),
brought to 30 Hz. A third of a second around made blinks is spoilt as lids spoil it: the width
falls and comes back. What cleaning leaves of that is compared with the untouched recording.
"""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Goal, Report, arguments, machine, publish
from gaze.vision.iris.light_reflex import LightReflex
from gaze.vision.iris.pupil_cleaning import PupilCleaner

Array = NDArray[np.float64]

RATE_HZ = 30.0
VIEWERS = 20
DARK, BRIGHT = 0.05, 0.5
LEARNING_S, AFTER_S = 60.0, 4.0
NOISE_MM, UNREST_MM, UNREST_S = 0.15, 0.1, 1.0
_FINE = 10

GOALS = {"of the reflex left, after a minute (%)": Goal(most=20.0)}


def simulate(light_cd_m2: Array, latency_s: float, speed_ms: float, strength: float) -> Array:
    """Return diameters in mm at `RATE_HZ` for luminances (n,) at the same rate."""
    step_s = 1.0 / RATE_HZ / _FINE
    late = round(latency_s / step_s)
    light = np.repeat(light_cd_m2, _FINE)
    light = np.concatenate([np.full(late, light[0]), light])[: len(light)] * np.pi * 1e-6
    mm, shown = 5.0, []
    for number in range(-20 * _FINE * 30, len(light)):
        flux = light[max(number, 0)] * np.pi * (mm / 2.0) ** 2
        pull = 5.2 - 0.45 * np.log(flux / 4.8118e-10)
        share = (mm - 4.9) / 3.0
        speed = (pull - 2.3026 * np.arctanh(share)) * 3.0 * (1.0 - share**2)
        unit_s = speed_ms / 1000.0 * (1.0 if speed < 0 else 3.0)
        mm = float(np.clip(mm + speed * step_s / unit_s, 2.0, 7.8))
        if number >= 0:
            shown.append(mm)
    widths = np.array(shown[::_FINE])
    return np.asarray(widths.mean() + strength * (widths - widths.mean()))


def reflex_left(seed: int, seconds: float) -> dict[str, float]:
    """Return how much of a viewer's mean response to a step is left, in percent of its size."""
    random = np.random.default_rng([seed, 7])
    count = round(seconds * RATE_HZ)
    share, steps, number = np.empty(count), [], 0
    bright = False
    while number < count:
        length = round(random.uniform(4.0, 8.0) * RATE_HZ)
        share[number : number + length] = BRIGHT if bright else DARK
        if number:
            steps.append(number)
        number += length
        bright = not bright
    screen = random.uniform(0.3, 1.5)
    true_mm = simulate(
        (5.0 + 250.0 * share) * screen,
        random.uniform(0.28, 0.38),  # the display's 0.1 s and the eye's own
        random.uniform(450.0, 800.0),
        random.uniform(0.7, 1.2),
    )
    unrest = np.zeros(count)
    keep = np.exp(-1.0 / RATE_HZ / UNREST_S)
    for n in range(1, count):
        unrest[n] = unrest[n - 1] * keep + random.normal(0, UNREST_MM * np.sqrt(1 - keep**2))
    seen = true_mm + unrest + random.normal(0.0, NOISE_MM, count)
    reflex, left = LightReflex(), np.empty(count)
    for n in range(count):
        t_s = n / RATE_HZ
        reflex.see(share[n], share[n], t_s)
        left[n] = reflex.without(seen[n], t_s)
    left -= unrest

    def response(values: Array, since_s: float, until_s: float) -> Array:
        pieces = []
        for step in steps:
            if since_s <= step / RATE_HZ < min(until_s, seconds - AFTER_S):
                sign = 1.0 if share[step] == DARK else -1.0
                piece = values[step - 6 : step + round(AFTER_S * RATE_HZ)]
                pieces.append(sign * (piece[6:] - piece[:6].mean()))
        return np.asarray(np.mean(pieces, axis=0))

    def part(since_s: float, until_s: float) -> tuple[float, float]:
        whole, rest = (response(values, since_s, until_s) for values in (true_mm, left))
        rms = float(np.sqrt(np.mean(rest**2) / np.mean(whole**2)))
        return 100.0 * rms, 100.0 * float(np.abs(rest).max() / np.abs(whole).max())

    first, later = part(0.0, LEARNING_S), part(LEARNING_S, seconds)
    return {
        "size of the reflex (mm)": float(np.abs(response(true_mm, 0.0, seconds)).max()),
        "of the reflex left, after a minute (%)": later[0],
        "its peak, after a minute (%)": later[1],
        "of the reflex left, first minute (%)": first[0],
    }


def read_recordings(data: Path) -> list[Array]:
    """Read diameters in mm at 30 Hz, nan where none was measured."""
    recordings = []
    for file in sorted(data.glob("*.tsv")):
        with file.open(newline="", encoding="utf-8-sig") as lines:
            rows = list(csv.DictReader(lines, delimiter="\t"))
        rows = [row for row in rows if row["Sensor"] == "Eye Tracker"]
        texts = [row["Pupil diameter left"].replace(",", ".") for row in rows]
        recordings.append(np.array([float(text) if text else np.nan for text in texts])[::4])
    for file in sorted(data.glob("task_evoked*.csv")):
        trials: dict[tuple[str, str], list[float]] = {}
        with file.open(newline="") as lines:
            for row in csv.DictReader(lines):
                trials.setdefault((row["ID"], row["Trial"]), []).append(float(row["LPupil"]))
        for values in trials.values():
            each = np.array(values)[::2]
            recordings.append(np.where(each > 0, each, np.nan))
    return recordings


def cleaned(widths: Array) -> Array:
    """Return the recording as the cleaner gives it out, frame by frame; nan where it is silent."""
    cleaner = PupilCleaner()
    given = []
    for number, mm in enumerate(widths):
        given.append(cleaner.update(None if np.isnan(mm) else float(mm), number / RATE_HZ))
    return np.array([np.nan if mm is None else mm for mm in given])


def cleaning(recordings: list[Array], seed: int = 0) -> dict[str, dict[str, float]]:
    """Spoil recordings with made blinks, and compare what raw and cleaned widths are off by."""
    random = np.random.default_rng(seed)
    raw_off, clean_off, kept, untouched = [], [], [], []
    for widths in recordings:
        spoilt = widths.copy()
        near = np.zeros(len(widths), bool)
        for start in range(45, len(widths) - 30, 90):
            first = start + int(random.integers(0, 20))
            fall = np.array([0.85, 0.55, np.nan, np.nan, np.nan, 0.5, 0.8])
            spoilt[first : first + 7] = widths[first : first + 7] * fall
            near[first - 2 : first + 10] = True
        given = cleaned(spoilt)
        there = near & ~np.isnan(spoilt) & ~np.isnan(widths)
        raw_off += np.abs(spoilt - widths)[there].tolist()
        there = near & ~np.isnan(given) & ~np.isnan(widths)
        clean_off += np.abs(given - widths)[there].tolist()
        calm = ~near & ~np.isnan(widths)
        kept.append(float(np.mean(~np.isnan(given[calm]))) if calm.any() else 1.0)
        there = calm & ~np.isnan(given)
        untouched += np.abs(given - widths)[there].tolist()
    return {
        "as measured": {"off around blinks (mm)": float(np.mean(raw_off))},
        "ours": {
            "off around blinks (mm)": float(np.mean(clean_off)),
            "off elsewhere (mm)": float(np.mean(untouched)),
            "given elsewhere (%)": 100.0 * float(np.mean(kept)),
        },
    }


def main() -> None:
    """Simulate, and clean where there are recordings."""
    parser = arguments(__doc__, "pupil", 180.0, 1)
    parser.add_argument("--data", type=Path, help="folder with recordings of pupils")
    parser.add_argument("--viewers", type=int, default=VIEWERS)
    flags = parser.parse_args()
    title = f"light taken out, {flags.viewers} simulated viewers; {machine()}"
    light = Report(title, GOALS, prefix="reflex.")
    viewers = [reflex_left(seed, flags.seconds) for seed in range(flags.viewers)]
    names = viewers[0]
    light.add("ours", {name: float(np.mean([each[name] for each in viewers])) for name in names})
    light.add("worst", {name: max(each[name] for each in viewers) for name in names})
    reports = [light]
    if flags.data:
        reports.append(Report("made blinks in recorded pupils, 30 Hz", prefix="cleaning."))
        for column, figures in cleaning(read_recordings(flags.data)).items():
            reports[-1].add(column, figures)
    publish(reports, flags.json)


if __name__ == "__main__":
    main()
