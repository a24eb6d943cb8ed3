"""Removal of the light reflex, and cleaning of pupil diameters: `python -m benchmarks.pupil`.

Units: millimetres and percent, as each row says. Peer: the diameter as measured.

Light reflex: twenty simulated viewers watch a film whose luminance steps between dark and bright
every 4 to 8 seconds. Their pupils follow Pamplona, Oliveira and Baranoski (2009, "Photorealistic
models for pupil light reflex and iridal pattern deformation"), another model than the one that
removes the reflex, with a latency, strength and speed of their own, hippus (spontaneous
oscillation) and a webcam's noise. The mean response to a step that is left is compared with the
whole.

Cleaning (`--data`): recordings of diameters (`*.tsv` of a Tobii, decimal commas, and
`task_evoked*.csv`), downsampled to 30 Hz. Simulated blinks distort them as lids do: the diameter
falls and recovers. What cleaning leaves of that is compared with the undistorted recording.
"""

import csv
from collections.abc import Sequence
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
LEARNING_S, AFTER_S = 60.0, 4.0  # the model's learning time; the judged response to a step
# Standard deviations of the webcam's noise and of hippus, and the time constant of hippus.
NOISE_MM, HIPPUS_MM, HIPPUS_S = 0.15, 0.1, 1.0
# Diameter over seven frames of a blink, relative to the true one.
BLINK_PROFILE = np.array([0.85, 0.55, np.nan, np.nan, np.nan, 0.5, 0.8])
_STEPS_PER_SAMPLE = 10  # of the integration

LEFT_AFTER_A_MINUTE = "reflex left after a minute, RMS (%)"
GOALS = {LEFT_AFTER_A_MINUTE: Goal(most=20.0)}


def simulate(light_cd_m2: Array, latency_s: float, speed_ms: float, strength: float) -> Array:
    """Simulate a pupil's diameter by Pamplona, Oliveira and Baranoski (2009).

    Parameters
    ----------
    light_cd_m2 : ndarray, shape (n,)
        Luminance at `RATE_HZ`.
    latency_s : float
        Of the reflex.
    speed_ms : float
        Time unit of the constriction; dilation is three times slower.
    strength : float
        Scale of the response around its mean.

    Returns
    -------
    ndarray, shape (n,)
        Diameter in mm.
    """
    step_s = 1.0 / RATE_HZ / _STEPS_PER_SAMPLE
    delay = round(latency_s / step_s)
    light = np.repeat(light_cd_m2, _STEPS_PER_SAMPLE)
    light = np.concatenate([np.full(delay, light[0]), light])[: len(light)] * np.pi * 1e-6
    mm, diameters = 5.0, []
    for number in range(-20 * _STEPS_PER_SAMPLE * 30, len(light)):
        flux = light[max(number, 0)] * np.pi * (mm / 2.0) ** 2
        pull = 5.2 - 0.45 * np.log(flux / 4.8118e-10)
        share = (mm - 4.9) / 3.0
        speed = (pull - 2.3026 * np.arctanh(share)) * 3.0 * (1.0 - share**2)
        unit_s = speed_ms / 1000.0 * (1.0 if speed < 0 else 3.0)
        mm = float(np.clip(mm + speed * step_s / unit_s, 2.0, 7.8))
        if number >= 0:
            diameters.append(mm)
    sampled = np.array(diameters[::_STEPS_PER_SAMPLE])
    return np.asarray(sampled.mean() + strength * (sampled - sampled.mean()))


def reflex_left(seed: int, seconds: float) -> dict[str, float]:
    """Measure how much of one viewer's mean response to a step is left.

    Parameters
    ----------
    seed : int
        Of the viewer.
    seconds : float
        Length of the film.

    Returns
    -------
    dict of str to float
        By row of the table.
    """
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
    hippus = np.zeros(count)
    keep = np.exp(-1.0 / RATE_HZ / HIPPUS_S)
    for n in range(1, count):
        hippus[n] = hippus[n - 1] * keep + random.normal(0, HIPPUS_MM * np.sqrt(1 - keep**2))
    seen = true_mm + hippus + random.normal(0.0, NOISE_MM, count)
    reflex, left = LightReflex(), np.empty(count)
    for n in range(count):
        t_s = n / RATE_HZ
        reflex.add_frame(share[n], share[n], t_s)
        left[n] = reflex.remove(seen[n], t_s)
    left -= hippus

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
        "peak of the reflex (mm)": float(np.abs(response(true_mm, 0.0, seconds)).max()),
        LEFT_AFTER_A_MINUTE: later[0],
        "reflex left after a minute, peak (%)": later[1],
        "reflex left in the first minute, RMS (%)": first[0],
    }


def read_recordings(data: Path) -> list[Array]:
    """Read recordings of diameters.

    Parameters
    ----------
    data : Path
        Folder of the files.

    Returns
    -------
    list of ndarray
        Diameters in mm at 30 Hz; nan if none was measured.
    """
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


def cleaned(diameters: Array) -> Array:
    """Clean a recording frame by frame.

    Parameters
    ----------
    diameters : ndarray, shape (n,)
        mm; nan if none was measured.

    Returns
    -------
    ndarray, shape (n,)
        mm; nan where the cleaner gives none.
    """
    cleaner = PupilCleaner()
    given = []
    for number, mm in enumerate(diameters):
        given.append(cleaner.update(None if np.isnan(mm) else float(mm), number / RATE_HZ))
    return np.array([np.nan if mm is None else mm for mm in given])


def cleaning(recordings: list[Array], seed: int = 0) -> dict[str, dict[str, float]]:
    """Distort recordings by simulated blinks, and measure the errors before and after cleaning.

    Parameters
    ----------
    recordings : list of ndarray
        Diameters in mm.
    seed : int, default 0
        Of the blinks.

    Returns
    -------
    dict of str to dict
        By column and row of the table.
    """
    random = np.random.default_rng(seed)
    raw_errors: list[float] = []
    cleaned_errors: list[float] = []
    errors_elsewhere: list[float] = []
    kept: list[float] = []
    for true_mm in recordings:
        with_blinks = true_mm.copy()
        near = np.zeros(len(true_mm), bool)
        for start in range(45, len(true_mm) - 30, 90):
            first = start + int(random.integers(0, 20))
            with_blinks[first : first + 7] = true_mm[first : first + 7] * BLINK_PROFILE
            near[first - 2 : first + 10] = True
        given = cleaned(with_blinks)
        known = near & ~np.isnan(with_blinks) & ~np.isnan(true_mm)
        raw_errors += np.abs(with_blinks - true_mm)[known].tolist()
        known = near & ~np.isnan(given) & ~np.isnan(true_mm)
        cleaned_errors += np.abs(given - true_mm)[known].tolist()
        elsewhere = ~near & ~np.isnan(true_mm)
        kept.append(float(np.mean(~np.isnan(given[elsewhere]))) if elsewhere.any() else 1.0)
        known = elsewhere & ~np.isnan(given)
        errors_elsewhere += np.abs(given - true_mm)[known].tolist()
    return {
        "as measured": {"error around blinks (mm)": float(np.mean(raw_errors))},
        "ours": {
            "error around blinks (mm)": float(np.mean(cleaned_errors)),
            "error elsewhere (mm)": float(np.mean(errors_elsewhere)),
            "samples kept elsewhere (%)": 100.0 * float(np.mean(kept)),
        },
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print the tables and write the figures.

    Parameters
    ----------
    argv : sequence of str, optional
        Command line; by default the process's.
    """
    parser = arguments(__doc__, "pupil", seconds=180.0)
    parser.add_argument("--data", type=Path, help="folder with recordings of pupils")
    viewers_help = f"simulated viewers, default {VIEWERS}"
    parser.add_argument("--viewers", type=int, default=VIEWERS, help=viewers_help)
    flags = parser.parse_args(argv)
    title = f"removal of the pupillary light reflex, {flags.viewers} simulated viewers; {machine()}"
    light = Report(title, GOALS, prefix="reflex.")
    viewers = [reflex_left(seed, flags.seconds) for seed in range(flags.viewers)]
    names = viewers[0]
    light.add("ours", {name: float(np.mean([each[name] for each in viewers])) for name in names})
    light.add("worst", {name: max(each[name] for each in viewers) for name in names})
    reports = [light]
    if flags.data:
        reports.append(Report("simulated blinks in recorded diameters, 30 Hz", prefix="cleaning."))
        for column, figures in cleaning(read_recordings(flags.data)).items():
            reports[-1].add(column, figures)
    publish(reports, flags.json)


if __name__ == "__main__":
    main()
