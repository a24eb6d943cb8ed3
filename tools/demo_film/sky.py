"""The demo film's sky: dusk, stars, the moon, clouds, and what flies there."""

import math
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.demo_film.canvas import (
    HEIGHT,
    SANS,
    SOLID,
    WIDTH,
    Colour,
    Image,
    Sprite,
    as_image,
    canvas,
    noise,
    shade,
    sprite,
)

_SKY = (
    (0.00, (17, 22, 58)),
    (0.15, (40, 42, 98)),
    (0.26, (98, 68, 130)),
    (0.35, (198, 106, 124)),
    (0.43, (250, 168, 112)),
    (0.50, (255, 210, 144)),
    (1.00, (255, 210, 144)),
)


_CONSTELLATIONS = (
    ("CYGNUS", 96, 70, ((0, 0), (34, 30), (62, 54), (104, 96)), ((14, 76), (62, 54), (98, 14))),
    ("LYRA", 300, 60, ((0, 0), (14, 22), (26, 58), (48, 52), (34, 16), (14, 22)), ()),
    ("CASSIOPEIA", 470, 40, ((0, 34), (30, 4), (58, 36), (92, 14), (118, 44)), ()),
    (
        "URSA MAJOR",
        690,
        52,
        ((0, 20), (40, 6), (72, 20), (106, 30), (118, 66), (170, 70), (166, 30), (106, 30)),
        (),
    ),
)


_BANNER = "LOOK WHEREVER YOU LIKE - THE FILM FOLLOWS YOUR EYES"


def _glint() -> NDArray[np.float32]:
    y, x = np.mgrid[-3:4, -3:4].astype(np.float32)
    light = np.exp(-(x * x + y * y) / 1.1) + 0.35 * np.exp(-np.minimum(abs(x), abs(y)) * 3) * (
        np.maximum(abs(x), abs(y)) <= 3
    )
    colour = np.array((230, 232, 255), np.float32)
    return np.asarray(np.clip(light, 0, 1)[:, :, None] * colour, np.float32)


GLINT = _glint()


def stars(rng: np.random.Generator) -> list[tuple[int, int, float]]:
    stars = []
    for _ in range(620):
        y = int(6 + 300 * rng.random() ** 1.6)
        light = (0.12 + 0.88 * rng.random() ** 5) * max(0.1, 1 - y / 330)
        stars.append((int(rng.integers(6, WIDTH - 6)), y, float(light)))
    return sorted(stars, key=lambda star: -star[2])


def sky(rng: np.random.Generator, stars: list[tuple[int, int, float]]) -> Image:
    rows = np.linspace(0, 1, HEIGHT)
    places = [place for place, _ in _SKY]
    bands = [np.interp(rows, places, [colour[i] for _, colour in _SKY]) for i in range(3)]
    sky = np.repeat(np.stack(bands, 1)[:, None, :], WIDTH, 1).astype(np.float32)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)

    band = np.exp(-(((x * 0.34 - y + 30) / 90) ** 2)) * np.clip(1 - y / 300, 0, 1)
    dust = noise(rng, HEIGHT, WIDTH, 96)
    sky += (band * np.clip(dust * 2.6 - 0.9, 0, 1))[:, :, None] * np.array((58, 54, 84))
    speckle = rng.random((HEIGHT, WIDTH), np.float32) > 0.988
    sky += (speckle * (0.25 + band) * np.clip(1 - y / 320, 0, 1) * 90)[:, :, None]

    moon_x, moon_y, radius = 1090, 118, 50
    away = np.hypot(x - moon_x, y - moon_y)
    sky += (np.exp(-away / 90) * 74)[:, :, None] * np.array((1.0, 0.93, 0.8))
    seas = cv2.GaussianBlur(noise(rng, HEIGHT, WIDTH, 48), (0, 0), 1.0)
    light = 250 - 92 * np.clip(seas * 2.6 - 0.95, 0, 1)
    for _ in range(46):
        angle, far, size = rng.random() * 6.28, radius * rng.random() ** 0.5, 1.5 + 5 * rng.random()
        d = np.hypot(x - moon_x - far * math.cos(angle), y - moon_y - far * math.sin(angle))
        light += 26 * np.exp(-(((d - size) / 1.1) ** 2)) - 16 * (d < size)
    light *= 0.80 + 0.20 * np.sqrt(np.clip(1 - (away / radius) ** 2, 0, 1))
    disc = np.clip(radius - away + 0.5, 0, 1)[:, :, None]
    sky = sky * (1 - disc) + disc * light[:, :, None] * np.array((1.0, 0.965, 0.88))

    image = as_image(np.clip(sky, 0, 255))
    for sx, sy, brightness in stars:
        if math.hypot(sx - moon_x, sy - moon_y) > radius + 8:
            patch = image[sy - 3 : sy + 4, sx - 3 : sx + 4]
            cv2.add(patch, np.rint(GLINT * brightness * 0.8).astype(np.uint8), dst=patch)
    _draw_constellations(image)
    return image


def _draw_constellations(image: Image) -> None:
    overlay = image.copy()
    for name, x, y, *lines in _CONSTELLATIONS:
        for line in lines:
            points = [(x + dx, y + dy) for dx, dy in line]
            for start, end in pairwise(points):
                cv2.line(overlay, start, end, (176, 180, 226), 1, cv2.LINE_AA)
            for px, py in points:
                patch = overlay[py - 3 : py + 4, px - 3 : px + 4]
                cv2.add(patch, GLINT.astype(np.uint8), dst=patch)
        cv2.putText(
            overlay,
            name,
            (x + 4, y + max(dy for _, dy in lines[0]) + 22),
            SANS,
            0.32,
            (196, 196, 232),
            1,
            cv2.LINE_AA,
        )
    cv2.addWeighted(overlay, 0.7, image, 0.3, 0, dst=image)


def clouds(rng: np.random.Generator) -> tuple[Image, Image]:
    height, width = 420, WIDTH + 260
    long = cv2.resize(noise(rng, height, width // 3 + 1, 64), (width, height))
    fine = noise(rng, height, width, 40)
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    density = np.clip((long * 0.72 + fine * 0.28 - 0.54) * 5, 0, 1)
    density *= np.clip((rows - 0.30) * 2.4, 0, 1) * 0.78
    light = np.clip((long - np.roll(long, -6, 0)) * 9 + 0.5 + (fine - 0.5) * 0.9, 0, 1)[:, :, None]
    dark, bright = np.array((132, 84, 132)), np.array((255, 190, 150))
    colour = (dark * (1 - light) + bright * light) * density[:, :, None]
    clear = 255 * (1 - np.repeat(density[:, :, None], 3, 2))
    return colour.astype(np.uint8), clear.astype(np.uint8)


def balloon(colours: tuple[Colour, Colour], size: float) -> Sprite:
    width, height, radius = round(220 * size), round(310 * size), 104 * size
    colour, alpha = canvas(width, height)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    cx, cy = width / 2, radius + 4
    v = (y - cy) / radius
    half = radius * np.where(v < 0, np.sqrt(np.clip(1 - v * v, 0, 1)), np.cos(v * 0.98))
    half = np.where((v > -1) & (v < 1.36), np.maximum(half, 0), 0)
    u = np.clip((x - cx) / np.maximum(half, 1), -1, 1)
    gore = np.arcsin(u) / math.pi * 12
    stripe = (np.floor(gore + 0.5).astype(int) % 2)[:, :, None]
    zigzag = (np.abs(((gore * 2) % 1) - 0.5) * 0.5 + v * 2.2 - 0.3) % 3 < 0.34
    base = np.where(stripe == 1, colours[0], colours[1]).astype(np.float32)
    base[zigzag] = np.array(colours[1]) * 0.4 + np.array(colours[0]) * 0.2
    seam = np.abs(((gore + 0.5) % 1) - 0.5) > 0.46
    shade = 0.52 + 0.48 * np.sqrt(np.clip(1 - u * u, 0, 1)) + 0.22 * u - 0.10 * v
    glow = 0.35 * np.exp(-(((v - 1.1) / 0.5) ** 2))
    base *= np.where(seam, 0.72, 1.0)[:, :, None] * shade[:, :, None]
    base += glow[:, :, None] * np.array((255, 190, 90))
    inside = np.abs(x - cx) < half
    colour[:] = np.clip(base, 0, 255)
    alpha[inside] = 255
    bottom, basket = round(cy + 1.34 * radius), round(cy + 1.62 * radius)
    for dx in (-0.20, -0.07, 0.07, 0.20):
        start = (round(cx + dx * radius), bottom - 4)
        end = (round(cx + dx * radius * 0.7), basket)
        cv2.line(colour, start, end, (70, 50, 44), 2, cv2.LINE_AA)
        cv2.line(alpha, start, end, SOLID, 2, cv2.LINE_AA)
    left, right = round(cx - 0.16 * radius), round(cx + 0.16 * radius)
    cv2.rectangle(colour, (left, basket), (right, basket + round(0.22 * radius)), (140, 92, 54), -1)
    cv2.rectangle(alpha, (left, basket), (right, basket + round(0.22 * radius)), SOLID, -1)
    for row in range(basket, basket + round(0.22 * radius), 4):
        cv2.line(colour, (left, row), (right, row), (96, 60, 36), 1)
    for dx in (-8, 7):
        head = (round(cx + dx * size), basket - 7)
        cv2.circle(colour, head, 5, (60, 40, 48), -1, cv2.LINE_AA)
        cv2.circle(alpha, head, 5, SOLID, -1, cv2.LINE_AA)
    return sprite(colour, alpha, (cx, cy))


def plane() -> Sprite:
    colour, alpha = canvas(1440, 92)
    (width, _), _ = cv2.getTextSize(_BANNER, SANS, 1.05, 2)
    left, right = 200, 200 + width + 60
    for image, cloth, rope in (
        (colour, (250, 240, 222), (240, 230, 220)),
        (alpha, SOLID, (160, 160, 160)),
    ):
        cv2.rectangle(image, (left, 22), (right, 70), cloth, -1)
        cv2.line(image, (126, 46), (left, 46), rope, 1, cv2.LINE_AA)
    cv2.rectangle(colour, (left, 22), (right, 70), (196, 70, 62), 3)
    cv2.putText(colour, _BANNER, (left + 30, 58), SANS, 1.05, (60, 44, 84), 2, cv2.LINE_AA)
    body = np.array(cv2.ellipse2Poly((76, 46), (56, 12), 0, 0, 360, 8))
    tail = np.array(((118, 46), (134, 22), (128, 48)))
    for image, fill in ((colour, (222, 72, 60)), (alpha, SOLID)):
        cv2.fillPoly(image, [body, tail], fill, cv2.LINE_AA)
        cv2.rectangle(image, (52, 20), (94, 24), fill, -1)
        cv2.rectangle(image, (48, 58), (98, 62), fill, -1)
        cv2.ellipse(image, (18, 46), (2, 22), 0, 0, 360, fill, -1, cv2.LINE_AA)
    cv2.circle(colour, (62, 38), 7, (250, 224, 180), -1, cv2.LINE_AA)
    return sprite(colour, alpha, (0.0, 46.0))


def draw_birds(image: Image, t: float) -> None:
    for number in range(17):
        lane = number % 3
        speed = 46 + 9 * lane
        x = (speed * t + number * 83 + 30 * math.sin(number * 2.1)) % 1500 - 110
        y = 196 + 34 * lane + 22 * math.sin(number * 1.9) + 8 * math.sin(t * 0.8 + number)
        span = 8 + 3.2 * lane
        flap = math.sin(t * (7.5 + number % 4) + number)
        wing = span * 0.42 * flap
        points = np.array(
            (
                (x - span, y - wing),
                (x - span * 0.45, y - wing * 0.9 - 2),
                (x, y + 1.5),
                (x + span * 0.45, y - wing * 0.9 - 2),
                (x + span, y - wing),
            )
        )
        shape = np.rint(points * 16).astype(np.int32)
        cv2.polylines(image, [shape], False, (42, 34, 62), 2, cv2.LINE_AA, 4)


def draw_lanterns(image: Image, t: float) -> None:
    for number in range(22):
        start = 9 + number * 0.62
        if t < start:
            continue
        age = t - start
        x = (number * 197 + 60) % 1240 + 16 * math.sin(age * 0.6 + number) - 4 * age
        y = 440 - 19 * age - 0.2 * age * age
        size = 7 - 0.12 * age
        if y < 20 or size < 2:
            continue
        glow = 0.85 + 0.15 * math.sin(t * 5 + number * 3)
        shape = np.array(
            (
                (x - size * 0.75, y - size),
                (x + size * 0.75, y - size),
                (x + size, y + size),
                (x - size, y + size),
            )
        )
        fixed = np.rint(shape * 16).astype(np.int32)
        cv2.fillPoly(image, [fixed], shade((255, 176, 84), glow), cv2.LINE_AA, 4)
        cv2.circle(
            image,
            (round(x * 16), round((y + size * 0.5) * 16)),
            round(size * 8),
            shade((255, 236, 176), glow),
            -1,
            cv2.LINE_AA,
            4,
        )
