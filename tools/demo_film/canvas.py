"""What the demo film is drawn on: layers and sprites, and how they are composed into a frame.

Colours are RGB. Still parts are drawn once at twice their size and scaled down, for smooth edges; a
layer that moves by half pixels is kept at both phases, so that it stays equally sharp.
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
    """A strip as wide as the whole camera movement.

    Attributes
    ----------
    colour : sequence of ndarray
        Premultiplied colour at phases of 1/len pixel.
    clear : sequence of ndarray
        Inverse alpha, three channels, at the same phases.
    top : int
        Its uppermost row in the frame.
    """

    colour: Sequence[Image]
    clear: Sequence[Image]
    top: int


@dataclass(frozen=True, slots=True)
class Sprite:
    """A small picture, kept at twice its size.

    Attributes
    ----------
    colour : ndarray, shape (h, w, 3)
        Premultiplied colour.
    alpha : ndarray, shape (h, w)
        Alpha.
    anchor : tuple of float
        The point of it that is put on a point of the frame.
    """

    colour: Image
    alpha: Image
    anchor: tuple[float, float]


def layer(colour: Image, alpha: Image, top: int, phases: int) -> Layer:
    """Make a layer from a drawing at twice its size.

    Parameters
    ----------
    colour : ndarray, shape (h, w, 3)
        The drawing.
    alpha : ndarray, shape (h, w)
        Its alpha.
    top : int
        Its uppermost row in the frame.
    phases : int
        Horizontal positions within a pixel.
    """
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
    """Return an array as an image, uint8.

    Parameters
    ----------
    array : array_like
        Values of 0 to 255.
    """
    return np.asarray(array, dtype=np.uint8)


def compose(image: Image, layer: Layer, shift: float) -> None:
    """Draw a layer into a frame, in place.

    Parameters
    ----------
    image : ndarray, shape (720, 1280, 3)
        The frame.
    layer : Layer
        The layer.
    shift : float
        How far it has moved to the left, px.
    """
    phases = len(layer.colour)
    step = round(shift * phases)
    phase, left = step % phases, step // phases
    colour = layer.colour[phase][:, left : left + WIDTH]
    clear = layer.clear[phase][:, left : left + WIDTH]
    part = image[layer.top : layer.top + len(colour)]
    cv2.multiply(part, clear, dst=part, scale=1 / 255)
    cv2.add(part, colour, dst=part)


def put(image: Image, sprite: Sprite, x: float, y: float, size: float) -> None:
    """Draw a sprite with its anchor at a point between pixels, in place.

    Parameters
    ----------
    image : ndarray, shape (720, 1280, 3)
        The frame.
    sprite : Sprite
        The sprite.
    x, y : float
        The point, px.
    size : float
        Scale; 1 is the size for which it was drawn.
    """
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
    """Draw a sprite that fades in or out, in place.

    Parameters
    ----------
    image : ndarray, shape (720, 1280, 3)
        The frame.
    sprite : Sprite
        The sprite.
    x, y : float
        Where its anchor goes, px.
    opacity : float
        0 to 1.
    """
    if opacity > 0:
        colour, alpha = (
            cv2.convertScaleAbs(part, alpha=opacity) for part in (sprite.colour, sprite.alpha)
        )
        put(image, Sprite(as_image(colour), as_image(alpha), sprite.anchor), x, y, 1.0)


def sprite(colour: Image, alpha: Image, anchor: tuple[float, float]) -> Sprite:
    """Make a sprite from a drawing at twice its size.

    Parameters
    ----------
    colour : ndarray, shape (h, w, 3)
        The drawing.
    alpha : ndarray, shape (h, w)
        Its alpha.
    anchor : tuple of float
        The point of it that is put on a point of the frame.
    """
    lit = cv2.multiply(colour, cv2.merge([alpha] * 3), scale=1 / 255)
    return Sprite(as_image(lit), alpha, anchor)


def canvas(width: int, height: int) -> tuple[Image, Image]:
    """Return an empty drawing.

    Parameters
    ----------
    width, height : int
        Size in pixels.

    Returns
    -------
    colour : ndarray, shape (height, width, 3)
        Black.
    alpha : ndarray, shape (height, width)
        Transparent.
    """
    return np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8)


def shade(colour: Colour, factor: float) -> Colour:
    """Return a colour, brighter or darker.

    Parameters
    ----------
    colour : tuple of int
        RGB.
    factor : float
        Above 1 is brighter.
    """
    r, g, b = (int(min(255, max(0, part * factor))) for part in colour)
    return r, g, b


def noise(rng: np.random.Generator, height: int, width: int, cell: int) -> NDArray[np.float32]:
    """Return fractal noise, 0 to 1.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the noise.
    height, width : int
        Size in pixels.
    cell : int
        Size of its largest features, px.

    Returns
    -------
    ndarray, shape (height, width), float32
        The noise.
    """
    total = np.zeros((height, width), np.float32)
    weight, reached = 1.0, 0.0
    while cell >= 2:
        grid = rng.random((height // cell + 3, width // cell + 3), np.float32)
        rough = cv2.resize(grid, None, fx=cell, fy=cell, interpolation=cv2.INTER_CUBIC)
        total += weight * rough[:height, :width]
        reached += weight
        weight, cell = weight * 0.55, cell // 2
    return np.asarray(np.clip(total / reached, 0, 1), np.float32)


def text(
    image: Image, text: str, centre: tuple[float, float], size: float, colour: Colour, font: int
) -> None:
    """Write a line of text in the middle of a point, in place.

    Parameters
    ----------
    image : ndarray, shape (h, w, 3)
        The drawing.
    text : str
        ASCII.
    centre : tuple of float
        The point, px.
    size : float
        OpenCV's font scale.
    colour : tuple of int
        RGB.
    font : int
        OpenCV's font.
    """
    (width, height), _ = cv2.getTextSize(text, font, size, 1)
    place = (round(centre[0] - width / 2), round(centre[1] + height / 2))
    cv2.putText(image, text, place, font, size, colour, 1, cv2.LINE_AA)


def text_mask(mask: Image, text: str, centre: tuple[float, float], size: float) -> None:
    """Write a line of bold serif text into an alpha channel, in place.

    Parameters
    ----------
    mask : ndarray, shape (h, w)
        The alpha channel.
    text : str
        ASCII.
    centre : tuple of float
        The middle of the text, px.
    size : float
        OpenCV's font scale.
    """
    (width, height), _ = cv2.getTextSize(text, SERIF, size, 2)
    place = (round(centre[0] - width / 2), round(centre[1] + height / 2))
    cv2.putText(mask, text, place, SERIF, size, SOLID, 2, cv2.LINE_AA)


def fixed(point: NDArray[np.float64]) -> tuple[int, int]:
    """Return a point in OpenCV's fixed-point format with 4 fractional bits.

    Parameters
    ----------
    point : ndarray, shape (2,)
        Pixels.
    """
    return round(point[0] * 16), round(point[1] * 16)
