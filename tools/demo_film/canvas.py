"""What the demo film is drawn on: layers and sprites, and how they are laid over a picture.

Colours are RGB. Still things are drawn once at twice their size and scaled down, so that edges are
smooth; a layer that moves by half pixels is kept at both phases, so that it stays equally sharp.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, RATE_FPS, DURATION_S = 1280, 720, 30, 30
QUAY_Y, WATER_END_Y = 474, 622
SCALE = 2

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]

SOLID: Colour = (255, 255, 255)
CLEAR: Colour = (0, 0, 0)
FACADES: Sequence[Colour] = (
    (196, 92, 62),
    (226, 168, 74),
    (74, 122, 132),
    (206, 132, 126),
    (232, 214, 176),
    (150, 62, 58),
    (84, 104, 148),
    (214, 148, 92),
    (128, 148, 104),
    (180, 112, 146),
)

SERIF, SANS = cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_DUPLEX


@dataclass(frozen=True, slots=True)
class Layer:
    """Premultiplied colour and inverse alpha (three channels), at phases of 1/len pixel."""

    colour: Sequence[Image]
    clear: Sequence[Image]
    top: int


@dataclass(frozen=True, slots=True)
class Sprite:
    """A small picture with premultiplied colour, and the place in it that is put on a point."""

    colour: Image
    alpha: Image
    anchor: tuple[float, float]


def layer(colour: Image, alpha: Image, top: int, phases: int) -> Layer:
    """A layer from a drawing at twice its size, at `phases` horizontal positions."""
    colours, clears = [], []
    height, width = alpha.shape[0] // SCALE, alpha.shape[1] // SCALE - 1
    for phase in range(phases):
        move = np.array(((1, 0, -SCALE * phase / phases), (0, 1, 0)), np.float32)
        size = (alpha.shape[1], alpha.shape[0])
        moved_colour = cv2.warpAffine(colour, move, size, flags=cv2.INTER_LINEAR)
        moved_alpha = cv2.warpAffine(alpha, move, size, flags=cv2.INTER_LINEAR)
        small, mask = _premultiplied(
            as_image(moved_colour), as_image(moved_alpha), width + 1, height
        )
        colours.append(small[:, :width].copy())
        clears.append(as_image(cv2.merge([255 - mask[:, :width]] * 3)))
    return Layer(colours, clears, top)


def _premultiplied(colour: Image, alpha: Image, width: int, height: int) -> tuple[Image, Image]:
    lit = cv2.multiply(colour, cv2.merge([alpha] * 3), scale=1 / 255)
    size = (width, height)
    return (
        as_image(cv2.resize(lit, size, interpolation=cv2.INTER_AREA)),
        as_image(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)),
    )


def as_image(array: object) -> Image:
    return np.asarray(array, dtype=np.uint8)


def compose(image: Image, layer: Layer, shift: float) -> None:
    phases = len(layer.colour)
    step = round(shift * phases)
    phase, left = step % phases, step // phases
    colour = layer.colour[phase][:, left : left + WIDTH]
    clear = layer.clear[phase][:, left : left + WIDTH]
    part = image[layer.top : layer.top + len(colour)]
    cv2.multiply(part, clear, dst=part, scale=1 / 255)
    cv2.add(part, colour, dst=part)


def put(image: Image, sprite: Sprite, x: float, y: float, size: float) -> None:
    """Draw a sprite, kept at twice its size, with its anchor at a point between pixels."""
    scale = size / SCALE
    left, top = x - sprite.anchor[0] * scale, y - sprite.anchor[1] * scale
    x0, y0 = math.floor(left), math.floor(top)
    width = math.ceil(sprite.alpha.shape[1] * scale) + 1
    height = math.ceil(sprite.alpha.shape[0] * scale) + 1
    a, b = max(0, x0), max(0, y0)
    c, d = min(WIDTH, x0 + width), min(HEIGHT, y0 + height)
    if a >= c or b >= d:
        return
    move = np.array(((scale, 0, left - a), (0, scale, top - b)), np.float32)
    colour = cv2.warpAffine(sprite.colour, move, (c - a, d - b), flags=cv2.INTER_LINEAR)
    alpha = cv2.warpAffine(sprite.alpha, move, (c - a, d - b), flags=cv2.INTER_LINEAR)
    part = image[b:d, a:c]
    cv2.multiply(part, cv2.merge([255 - alpha] * 3), dst=part, scale=1 / 255)
    cv2.add(part, colour, dst=part)


def blend(image: Image, sprite: Sprite, x: float, y: float, opacity: float) -> None:
    if opacity > 0:
        colour, alpha = (
            cv2.convertScaleAbs(part, alpha=opacity) for part in (sprite.colour, sprite.alpha)
        )
        put(image, Sprite(as_image(colour), as_image(alpha), sprite.anchor), x, y, 1.0)


def sprite(colour: Image, alpha: Image, anchor: tuple[float, float]) -> Sprite:
    lit = cv2.multiply(colour, cv2.merge([alpha] * 3), scale=1 / 255)
    return Sprite(as_image(lit), alpha, anchor)


def canvas(width: int, height: int) -> tuple[Image, Image]:
    return np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8)


def shade(colour: Colour, factor: float) -> Colour:
    r, g, b = (int(min(255, max(0, part * factor))) for part in colour)
    return r, g, b


def noise(rng: np.random.Generator, height: int, width: int, cell: int) -> NDArray[np.float32]:
    """Fractal noise, 0 to 1; its largest features are `cell` pixels across."""
    total = np.zeros((height, width), np.float32)
    weight, reached = 1.0, 0.0
    while cell >= 2:
        grid = rng.random((height // cell + 3, width // cell + 3), np.float32)
        rough = cv2.resize(grid, None, fx=cell, fy=cell, interpolation=cv2.INTER_CUBIC)
        total += weight * rough[:height, :width]
        reached += weight
        weight, cell = weight * 0.55, cell // 2
    return np.clip(total / reached, 0, 1)


def text(
    image: Image, text: str, centre: tuple[float, float], size: float, colour: Colour, font: int
) -> None:
    (width, height), _ = cv2.getTextSize(text, font, size, 1)
    place = (round(centre[0] - width / 2), round(centre[1] + height / 2))
    cv2.putText(image, text, place, font, size, colour, 1, cv2.LINE_AA)


def text_mask(mask: Image, text: str, centre: tuple[float, float], size: float) -> None:
    (width, height), _ = cv2.getTextSize(text, SERIF, size, 2)
    place = (round(centre[0] - width / 2), round(centre[1] + height / 2))
    cv2.putText(mask, text, place, SERIF, size, SOLID, 2, cv2.LINE_AA)


def fixed(point: NDArray[np.float64]) -> tuple[int, int]:
    return round(point[0] * 16), round(point[1] * 16)
