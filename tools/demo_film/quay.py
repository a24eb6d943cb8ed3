"""The demo film's foreground: boats, the near quay, and people on it."""

import math
from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

from tools.demo_film.canvas import (
    FACADES,
    HEIGHT,
    SCALE,
    SERIF,
    SOLID,
    WATER_END_Y,
    WIDTH,
    Colour,
    Image,
    Layer,
    Sprite,
    canvas,
    layer,
    shade,
    sprite,
    text,
)


def sail_boat() -> Sprite:
    colour, alpha = canvas(220, 300)
    hull = np.array(((24, 244), (196, 244), (172, 276), (48, 276)))
    main = np.array(((106, 20), (106, 230), (200, 226)))
    jib = np.array(((98, 34), (98, 228), (28, 234)))
    for image, wood, cloth, second, mast in (
        (colour, (118, 66, 48), (250, 232, 206), (226, 120, 92), (84, 54, 44)),
        (alpha, SOLID, SOLID, SOLID, SOLID),
    ):
        cv2.fillPoly(image, [main], cloth, cv2.LINE_AA)
        cv2.fillPoly(image, [jib], second, cv2.LINE_AA)
        cv2.line(image, (102, 10), (102, 246), mast, 4, cv2.LINE_AA)
        cv2.fillPoly(image, [hull], wood, cv2.LINE_AA)
        cv2.circle(image, (182, 236), 6, (255, 228, 150) if image is colour else SOLID, -1)
    for row in range(40, 230, 18):
        reach = round(106 + 94 * (row - 20) / 208)
        cv2.line(colour, (107, row), (reach - 3, row), (216, 190, 164), 1, cv2.LINE_AA)
        reach = round(98 - 68 * (row - 34) / 196)
        cv2.line(colour, (reach + 4, row), (96, row), (190, 92, 74), 1, cv2.LINE_AA)
    for row in (252, 260, 268):
        cv2.line(colour, (30, row), (190, row), (84, 44, 36), 1, cv2.LINE_AA)
    text(colour, "IRIS", (112, 260), 0.6, (255, 232, 186), SERIF)
    return sprite(colour, alpha, (110.0, 266.0))


def steamer() -> Sprite:
    colour, alpha = canvas(460, 180)
    hull = np.array(((14, 118), (446, 118), (416, 164), (44, 164)))
    for image, navy, white, red, dark in (
        (colour, (44, 58, 92), (244, 236, 220), (206, 70, 56), (48, 40, 50)),
        (alpha, SOLID, SOLID, SOLID, SOLID),
    ):
        cv2.rectangle(image, (70, 78), (380, 118), white, -1)
        cv2.rectangle(image, (120, 48), (320, 78), white, -1)
        cv2.rectangle(image, (190, 4), (222, 48), red, -1)
        cv2.rectangle(image, (190, 4), (222, 14), dark, -1)
        cv2.line(image, (400, 118), (400, 50), dark, 2, cv2.LINE_AA)
        cv2.fillPoly(image, [hull], navy, cv2.LINE_AA)
    for x in range(82, 372, 24):
        cv2.rectangle(colour, (x, 88), (x + 14, 108), (255, 214, 136), -1)
        cv2.rectangle(colour, (x, 88), (x + 14, 108), (130, 96, 80), 1)
    for x in range(130, 312, 20):
        cv2.rectangle(colour, (x, 55), (x + 12, 71), (255, 222, 150), -1)
    for x in range(16, 446, 9):
        cv2.line(colour, (x, 118), (x, 112), (90, 70, 70), 1)
    cv2.line(colour, (20, 128), (440, 128), (226, 200, 160), 2, cv2.LINE_AA)
    for x in range(184, 410, 26):
        cv2.circle(colour, (x, 142), 5, (255, 220, 150), -1, cv2.LINE_AA)
        cv2.circle(colour, (x, 142), 5, (120, 110, 110), 1, cv2.LINE_AA)
    text(colour, "PUPILLA", (110, 148), 0.62, (250, 236, 210), SERIF)
    return sprite(colour, alpha, (230.0, 158.0))


def quay(rng: np.random.Generator) -> Layer:
    """The near quay: cobbles, bollards, lamps. It passes at two pixels a frame."""
    top, width = 430, WIDTH + 1820
    height = HEIGHT - top
    colour, alpha = canvas(width * SCALE, height * SCALE)
    edge = (WATER_END_Y - 8 - top) * SCALE
    cv2.rectangle(colour, (0, edge), (width * SCALE, height * SCALE), (58, 50, 60), -1)
    cv2.rectangle(alpha, (0, edge), (width * SCALE, height * SCALE), SOLID, -1)
    cv2.rectangle(colour, (0, edge), (width * SCALE, edge + 18), (168, 140, 128), -1)
    for x in range(0, width * SCALE, 92):
        cv2.line(colour, (x, edge), (x, edge + 18), (98, 80, 80), 2)
    y, row = edge + 24, 0
    while y < height * SCALE:
        tall = 14 + 2 * row
        x = -int(rng.integers(30))
        while x < width * SCALE:
            wide = tall + int(rng.integers(4, 16))
            tone = 0.72 + 0.5 * rng.random()
            stone = shade((122, 104, 106), tone)
            centre = (x + wide // 2, y + tall // 2)
            axes = (wide // 2 - 1, tall // 2 - 1)
            cv2.ellipse(colour, centre, axes, 0, 0, 360, stone, -1, cv2.LINE_AA)
            shine = (centre[0] - wide // 8, centre[1] - tall // 5)
            cv2.ellipse(
                colour,
                shine,
                (wide // 5, tall // 7),
                0,
                0,
                360,
                shade(stone, 1.3),
                -1,
                cv2.LINE_AA,
            )
            x += wide
        y, row = y + tall, row + 1
    for x in range(360, width * SCALE, 1240):
        _draw_lamp(colour, alpha, x, edge + 40)
    for x in range(140, width * SCALE, 620):
        _draw_bollard(colour, alpha, x, edge + 20)
    return layer(colour, alpha, top, 1)


def _draw_lamp(colour: Image, alpha: Image, x: int, foot: int) -> None:
    iron = (34, 30, 40)
    for image, fill in ((colour, iron), (alpha, SOLID)):
        cv2.rectangle(image, (x - 5, foot - 330), (x + 5, foot), fill, -1)
        cv2.rectangle(image, (x - 12, foot - 30), (x + 12, foot + 4), fill, -1)
        cv2.rectangle(image, (x - 40, foot - 316), (x + 40, foot - 311), fill, -1)
        for side in (-36, 36):
            lamp = np.add(((-12, -58), (12, -58), (18, -10), (-18, -10)), (x + side, foot - 306))
            cv2.fillPoly(image, [lamp], fill, cv2.LINE_AA)
    for side in (-36, 36):
        glass = np.add(((-8, -52), (8, -52), (13, -14), (-13, -14)), (x + side, foot - 306))
        cv2.fillPoly(colour, [glass], (255, 230, 160), cv2.LINE_AA)
        cv2.circle(colour, (x + side, foot - 336), 8, (255, 250, 226), -1, cv2.LINE_AA)


def _draw_bollard(colour: Image, alpha: Image, x: int, foot: int) -> None:
    for image, fill, shine in ((colour, (44, 38, 50), (120, 96, 100)), (alpha, SOLID, SOLID)):
        cv2.rectangle(image, (x - 10, foot - 34), (x + 10, foot + 8), fill, -1)
        cv2.ellipse(image, (x, foot - 36), (17, 9), 0, 0, 360, fill, -1, cv2.LINE_AA)
        cv2.ellipse(image, (x - 5, foot - 39), (6, 3), 0, 0, 360, shine, -1, cv2.LINE_AA)


def draw_walkers(image: Image, t: float) -> None:
    """People on the quay; who walks with the camera stays longer in the picture."""
    for number in range(9):
        direction = 1 if number % 2 else -1
        x = (number * 211 + 40 + t * (direction * 34 - 18)) % 1500 - 110
        y = 664 + 7 * (number % 4)
        size = 0.86 + 0.10 * (number % 4)
        coat = shade(FACADES[(number * 3 + 1) % len(FACADES)], 0.72)
        _draw_walker(image, x, y, size, direction, t * 5.2 + number * 1.3, coat, number)
    _draw_cyclist(image, -140 + 118 * ((t + 1) % 13), 690, t)


def _draw_walker(
    image: Image,
    x: float,
    y: float,
    size: float,
    direction: int,
    phase: float,
    coat: Colour,
    number: int,
) -> None:
    def at(dx: float, dy: float) -> tuple[int, int]:
        return round((x + dx * size * direction) * 16), round((y + dy * size) * 16)

    def shape(points: Sequence[tuple[float, float]], paint: Colour) -> None:
        fixed = np.array([at(dx, dy) for dx, dy in points], np.int32)
        cv2.fillPoly(image, [fixed], paint, cv2.LINE_AA, 4)

    dark = shade(coat, 0.45)
    stride, bob = 11 * math.sin(phase), 1.4 * abs(math.cos(phase))
    for leg, paint in ((stride, dark), (-stride, (36, 32, 44))):
        knee = (leg * 0.5 + 3, -17 + bob)
        cv2.line(image, at(0, -34 + bob), at(*knee), paint, max(2, round(6 * size)), cv2.LINE_AA, 4)
        foot = (leg, 0.0)
        cv2.line(image, at(*knee), at(*foot), paint, max(2, round(5 * size)), cv2.LINE_AA, 4)
        cv2.line(image, at(*foot), at(foot[0] + 6, foot[1]), (30, 26, 34), 3, cv2.LINE_AA, 4)
    shape(((-9, -27 + bob), (-7, -64 + bob), (7, -64 + bob), (10, -27 + bob)), coat)
    shape(((-7, -64 + bob), (7, -64 + bob), (8, -58 + bob), (-8, -58 + bob)), (236, 214, 180))
    for button in (-52, -44, -36):
        cv2.circle(image, at(3, button + bob), 18, (240, 216, 160), -1, cv2.LINE_AA, 4)
    cv2.circle(image, at(0, -73 + bob), round(7.5 * size * 16), (226, 178, 150), -1, cv2.LINE_AA, 4)
    cv2.line(image, at(-2, -60 + bob), at(-2 - stride * 0.8, -38 + bob), dark, 4, cv2.LINE_AA, 4)
    if number % 3 == 0:
        canopy = shade(FACADES[number % len(FACADES)], 1.05)
        arc = [
            (-34 * math.cos(a), -92 - 24 * math.sin(a) + bob) for a in np.linspace(0, math.pi, 13)
        ]
        cv2.line(image, at(8, -50 + bob), at(2, -112 + bob), (60, 46, 50), 2, cv2.LINE_AA, 4)
        shape(arc, canopy)
        for rib in (-17.0, 0.0, 17.0):
            cv2.line(
                image, at(rib, -93 + bob), at(0, -116 + bob), shade(canopy, 0.7), 1, cv2.LINE_AA, 4
            )
    else:
        hat = shade(coat, 0.6)
        shape(((-11, -77 + bob), (11, -77 + bob), (11, -79 + bob), (-11, -79 + bob)), hat)
        shape(((-7, -79 + bob), (-6, -88 + bob), (6, -88 + bob), (7, -79 + bob)), hat)


def _draw_cyclist(image: Image, x: float, y: float, t: float) -> None:
    def at(dx: float, dy: float) -> tuple[int, int]:
        return round((x + dx) * 16), round((y + dy) * 16)

    spin = 118 * t / 21
    for hub in (-34, 34):
        cv2.circle(image, at(hub, -21), 21 * 16, (30, 28, 38), 3, cv2.LINE_AA, 4)
        for spoke in range(8):
            angle = spin + spoke * math.pi / 4
            end = at(hub + 20 * math.cos(angle), -21 + 20 * math.sin(angle))
            cv2.line(image, at(hub, -21), end, (150, 146, 156), 1, cv2.LINE_AA, 4)
    frame = ((-34, -21), (-8, -22), (26, -52), (-16, -52), (-34, -21))
    for start, end in pairwise(frame):
        cv2.line(image, at(*start), at(*end), (52, 132, 138), 3, cv2.LINE_AA, 4)
    cv2.line(image, at(34, -21), at(25, -60), (52, 132, 138), 3, cv2.LINE_AA, 4)
    cv2.line(image, at(25, -60), at(32, -64), (40, 34, 40), 3, cv2.LINE_AA, 4)
    for half in (0.0, math.pi):
        pedal = (-8 + 8 * math.cos(spin * 0.6 + half), -22 + 8 * math.sin(spin * 0.6 + half))
        knee = ((pedal[0] - 14) / 2 + 12, (pedal[1] - 58) / 2 - 3)
        cv2.line(image, at(-15, -60), at(*knee), (44, 40, 62), 6, cv2.LINE_AA, 4)
        cv2.line(image, at(*knee), at(*pedal), (44, 40, 62), 5, cv2.LINE_AA, 4)
    cv2.line(image, at(-15, -60), at(4, -92), (206, 84, 66), 13, cv2.LINE_AA, 4)
    cv2.line(image, at(3, -88), at(26, -66), (180, 66, 54), 5, cv2.LINE_AA, 4)
    flutter = 3 * math.sin(t * 9)
    scarf = np.array((at(2, -97), at(-26, -96 + flutter), at(-24, -88 - flutter), at(3, -91)))
    cv2.fillPoly(image, [scarf], (250, 214, 110), cv2.LINE_AA, 4)
    cv2.circle(image, at(9, -104), 9 * 16, (226, 178, 150), -1, cv2.LINE_AA, 4)
    cv2.ellipse(
        image, at(8, -107), (10 * 16, 8 * 16), 0, 180, 360, (58, 74, 110), -1, cv2.LINE_AA, 4
    )
