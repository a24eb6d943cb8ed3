"""The demo film's background: mountains, and an old town on its hill."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.demo_film.canvas import (
    FACADES,
    SCALE,
    SOLID,
    WIDTH,
    Image,
    Layer,
    canvas,
    fixed,
    layer,
    noise,
    shade,
)


def _ridge(rng: np.random.Generator, width: int, rough: int) -> NDArray[np.float32]:
    return np.asarray(noise(rng, 3, width, rough)[1])


def mountains(rng: np.random.Generator) -> Layer:
    top, height, width = 190, 290, WIDTH + 240
    colour, alpha = canvas(width * SCALE, height * SCALE)
    y = np.arange(height * SCALE, dtype=np.float32)[:, None]
    rock = noise(rng, height * SCALE, width * SCALE, 64)
    slope = (rock - np.roll(rock, 5, 1)) * 12
    for base, swing, near, far_colour, lit_colour in (
        (196, 210, 300, (150, 96, 134), (240, 158, 140)),
        (270, 180, 200, (104, 78, 122), (206, 128, 128)),
        (350, 130, 140, (70, 64, 102), (164, 110, 118)),
    ):
        ridge = base + swing * (0.5 - _ridge(rng, width * SCALE, near))[None, :] * 1.7
        inside = y > ridge
        snow = np.clip(1 - (y - ridge) / 46 + slope * 0.6, 0, 1) * (base < 300)
        light = np.clip(0.42 + slope + 0.0006 * (ridge - y), 0, 1)[:, :, None]
        paint = np.array(far_colour) * (1 - light) + np.array(lit_colour) * light
        paint = paint + snow[:, :, None] * np.array((60, 62, 66))
        haze = np.clip((y - 330) / 300, 0, 0.5)[:, :, None]
        paint = paint * (1 - haze) + haze * np.array((236, 168, 140))
        colour[inside] = np.clip(paint, 0, 255)[inside]
        alpha[inside] = 255
    return layer(colour, alpha, top, 4)


def hill(rng: np.random.Generator) -> Layer:
    """The old town on its hill: trees, terraces, small houses, churches."""
    top, height, width = 214, 264, WIDTH + 460
    colour, alpha = canvas(width * SCALE, height * SCALE)
    x = np.arange(width * SCALE, dtype=np.float32)
    ground = 150 - 62 * np.sin(x / 560 + 0.6) - 26 * np.sin(x / 211)
    meadow = noise(rng, height * SCALE, width * SCALE, 16)[:, :, None]
    inside = np.arange(height * SCALE)[:, None] > ground[None, :]
    green = np.array((50, 62, 66)) * (1 - meadow) + np.array((126, 120, 84)) * meadow
    colour[inside] = green[inside]
    alpha[inside] = 255
    for depth in np.sort(rng.random(760)):
        place = int(rng.integers(20, width * SCALE - 20))
        foot = int(ground[place] + 6 + depth * (height * SCALE - ground[place]) * 0.55)
        if rng.random() < 0.58:
            _draw_cottage(rng, colour, alpha, place, foot, 0.7 + 0.6 * depth)
        else:
            _draw_tree(rng, colour, alpha, place, foot, 0.7 + 0.7 * depth)
    for place in (520, 1240, 2060, 2900):
        _draw_church(colour, alpha, place, int(ground[place]) + 44)
    return layer(colour, alpha, top, 2)


def _draw_cottage(
    rng: np.random.Generator, colour: Image, alpha: Image, x: int, foot: int, size: float
) -> None:
    width, height = int(rng.integers(20, 36) * size), int(rng.integers(18, 30) * size)
    wall = shade(FACADES[int(rng.integers(len(FACADES)))], 0.62 + 0.34 * rng.random())
    roof = np.array(
        (
            (x - width // 2 - 3, foot - height),
            (x, foot - height - int(15 * size)),
            (x + width // 2 + 3, foot - height),
        )
    )
    tile = shade((150, 78, 66), 0.7 + 0.5 * rng.random())
    for image, front, top in ((colour, wall, tile), (alpha, SOLID, SOLID)):
        cv2.rectangle(image, (x - width // 2, foot - height), (x + width // 2, foot), front, -1)
        cv2.fillPoly(image, [roof], top, cv2.LINE_AA)
    for row in range(foot - height - int(13 * size), foot - height, 3):
        reach = int((row - foot + height + 15 * size) / (15 * size) * width / 2)
        cv2.line(colour, (x - reach, row), (x + reach, row), shade(tile, 0.7), 1)
    for wx in range(x - width // 2 + 4, x + width // 2 - 4, 8):
        for wy in range(foot - height + 4, foot - 5, 9):
            lit = rng.random() < 0.55
            glass = (255, 214, 128) if lit else (58, 60, 88)
            cv2.rectangle(colour, (wx, wy), (wx + 3, wy + 4), glass, -1)


def _draw_tree(
    rng: np.random.Generator, colour: Image, alpha: Image, x: int, foot: int, size: float
) -> None:
    height, half = int(rng.integers(26, 52) * size), int(rng.integers(6, 10) * size)
    green = shade((58, 84, 74), 0.6 + 0.8 * rng.random())
    for step in range(5):
        y = foot - height * step // 6
        reach = half * (6 - step) // 6
        shape = np.array(((x - reach, y), (x, y - height // 3), (x + reach, y)))
        cv2.fillPoly(colour, [shape], shade(green, 0.75 + 0.12 * step), cv2.LINE_AA)
        cv2.fillPoly(alpha, [shape], SOLID, cv2.LINE_AA)


def _draw_church(colour: Image, alpha: Image, x: int, foot: int) -> None:
    tower = np.array(((x - 12, foot), (x - 12, foot - 74), (x + 12, foot - 74), (x + 12, foot)))
    spire = np.array(((x - 15, foot - 74), (x, foot - 148), (x + 15, foot - 74)))
    nave = np.array(((x, foot), (x, foot - 40), (x + 30, foot - 62), (x + 62, foot - 40)))
    nave = np.vstack((nave, ((x + 62, foot),)))
    for shape, paint in ((nave, (190, 150, 126)), (tower, (206, 170, 140)), (spire, (70, 96, 104))):
        cv2.fillPoly(colour, [shape], paint, cv2.LINE_AA)
        cv2.fillPoly(alpha, [shape], SOLID, cv2.LINE_AA)
    for row in range(foot - 70, foot, 6):
        cv2.line(colour, (x - 12, row), (x + 12, row), (176, 138, 116), 1)
    for row in range(foot - 140, foot - 74, 5):
        reach = int((row - foot + 148) / 74 * 15)
        cv2.line(colour, (x - reach, row), (x + reach, row), (52, 76, 86), 1)
    cv2.circle(colour, (x, foot - 60), 8, (255, 238, 196), -1, cv2.LINE_AA)
    cv2.line(colour, (x, foot - 60), (x, foot - 66), (50, 40, 40), 1, cv2.LINE_AA)
    cv2.line(colour, (x, foot - 60), (x + 4, foot - 58), (50, 40, 40), 1, cv2.LINE_AA)
    for window in (x + 18, x + 32, x + 46):
        cv2.rectangle(colour, (window, foot - 30), (window + 6, foot - 12), (255, 206, 120), -1)
        cv2.circle(colour, (window + 3, foot - 30), 3, (255, 206, 120), -1, cv2.LINE_AA)


def draw_windmill(image: Image, x: float, y: float, t: float) -> None:
    if not -60 < x < WIDTH + 60:
        return
    body = np.array(((x - 9, y + 46), (x - 5, y), (x + 5, y), (x + 9, y + 46)))
    cv2.fillPoly(image, [np.rint(body * 16).astype(np.int32)], (214, 190, 168), cv2.LINE_AA, 4)
    cap = np.array(((x - 7, y + 1), (x, y - 9), (x + 7, y + 1)))
    cv2.fillPoly(image, [np.rint(cap * 16).astype(np.int32)], (110, 60, 62), cv2.LINE_AA, 4)
    for sail in range(4):
        angle = t * 0.9 + sail * math.pi / 2
        out = np.array((math.cos(angle), math.sin(angle)))
        side = np.array((-out[1], out[0]))
        hub = np.array((x, y - 2))
        blade = np.array((hub + out * 7, hub + out * 34, hub + out * 34 + side * 7))
        blade = np.vstack((blade, (hub + out * 7 + side * 5,)))
        shape = np.rint(blade * 16).astype(np.int32)
        cv2.fillPoly(image, [shape], (250, 232, 206), cv2.LINE_AA, 4)
        cv2.polylines(image, [shape], True, (92, 62, 62), 1, cv2.LINE_AA, 4)
        for rung in (0.35, 0.6, 0.85):
            start, end = hub + out * 34 * rung, hub + out * 34 * rung + side * 6
            cv2.line(image, fixed(start), fixed(end), (120, 84, 78), 1, cv2.LINE_AA, 4)
