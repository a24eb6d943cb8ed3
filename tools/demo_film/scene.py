"""One moment of the demo film: an evening by a harbour, put together from its layers."""

import math

import cv2
import numpy as np

from tools.demo_film.canvas import QUAY_Y, RATE_FPS, WATER_END_Y, WIDTH, Image, blend, compose, put
from tools.demo_film.hills import draw_windmill, hill, mountains
from tools.demo_film.houses import houses, tram
from tools.demo_film.quay import draw_walkers, quay, sail_boat, steamer
from tools.demo_film.sky import GLINT, balloon, clouds, draw_birds, draw_lanterns, plane, sky, stars
from tools.demo_film.words import caption, title

_CAPTIONS = (
    (5.5, 10.5, "The day went out slowly, one window at a time."),
    (11.0, 16.0, "Somebody played the piano above the clockmaker's."),
    (16.5, 21.5, "Balloons carried the last of the light over the hills,"),
    (22.0, 29.0, "and wherever you looked, that was where the evening was."),
)


class Scene:
    """Everything that is drawn once; `frame` composes one moment of it."""

    def __init__(self) -> None:
        rng = np.random.default_rng(7)
        self._stars = stars(rng)
        self._sky = sky(rng, self._stars)
        self._clouds = clouds(rng)
        self._mountains = mountains(rng)
        self._hill = hill(rng)
        self._houses = houses(rng)
        self._quay = quay(rng)
        self._balloons = [
            (balloon(colours, 1.0), x, y, vx, size)
            for colours, x, y, vx, size in (
                (((214, 66, 58), (250, 224, 176)), 250, 226, 9.0, 1.0),
                (((40, 112, 140), (246, 186, 84)), 560, 168, 7.0, 0.72),
                (((124, 74, 140), (240, 150, 140)), 880, 252, 8.0, 0.86),
                (((238, 168, 62), (166, 52, 66)), 60, 130, 10.0, 0.55),
            )
        ]
        self._tram = tram()
        self._boats = (sail_boat(), steamer())
        self._plane = plane()
        self._title = title()
        self._captions = [(start, end, caption(text)) for start, end, text in _CAPTIONS]
        y, x = np.mgrid[QUAY_Y:WATER_END_Y, 0:WIDTH].astype(np.float32)
        self._water_x, self._water_y = x, y

    def frame(self, index: int) -> Image:
        """Frame `index` (at 30 a second) as RGB, shape (720, 1280, 3)."""
        t = index / RATE_FPS
        image = self._sky.copy()
        self._draw_stars(image, t)
        self._draw_clouds(image, t)
        compose(image, self._mountains, index * 0.25)
        self._draw_balloons(image, t)
        self._draw_plane(image, t)
        draw_birds(image, t)
        compose(image, self._hill, index * 0.5)
        draw_windmill(image, 1010 - index * 0.5, 262, t)
        draw_windmill(image, 1560 - index * 0.5, 272, t + 3)
        compose(image, self._houses, float(index))
        put(image, self._tram, 1620 - 62 * t, QUAY_Y - 2, 1.0)
        put(image, self._tram, 3060 - 62 * t, QUAY_Y - 2, 1.0)
        draw_lanterns(image, t)
        self._draw_water(image, t)
        self._draw_boats(image, t)
        compose(image, self._quay, index * 2.0)
        draw_walkers(image, t)
        self._draw_words(image, t)
        return image

    def _draw_stars(self, image: Image, t: float) -> None:
        for number, (x, y, light) in enumerate(self._stars[:70]):
            glow = light * (0.55 + 0.45 * math.sin(t * (1.4 + number % 5 * 0.5) + number * 1.7))
            patch = image[y - 3 : y + 4, x - 3 : x + 4]
            cv2.add(patch, np.rint(GLINT * glow).astype(np.uint8), dst=patch)

    def _draw_clouds(self, image: Image, t: float) -> None:
        shift = t * 7.0
        whole, part = int(shift), shift % 1
        colour, clear = (
            cv2.addWeighted(
                layer[:, whole : whole + WIDTH],
                1 - part,
                layer[:, whole + 1 : whole + 1 + WIDTH],
                part,
                0,
            )
            for layer in self._clouds
        )
        sky = image[: len(colour)]
        cv2.multiply(sky, clear, dst=sky, scale=1 / 255)
        cv2.add(sky, colour, dst=sky)

    def _draw_balloons(self, image: Image, t: float) -> None:
        for number, (sprite, x, y, speed, size) in enumerate(self._balloons):
            bob = 9 * math.sin(t * 0.5 + number * 2)
            put(image, sprite, x + speed * t * 1.6, y - 1.1 * t + bob, size)

    def _draw_plane(self, image: Image, t: float) -> None:
        put(image, self._plane, 1330 - 84 * (t - 4), 66 + 7 * math.sin(t * 0.9), 1.0)

    def _draw_water(self, image: Image, t: float) -> None:
        """The town upside down, bent by waves that grow towards the viewer."""
        x, y = self._water_x, self._water_y
        depth = y - QUAY_Y
        near = depth / (WATER_END_Y - QUAY_Y)
        row, column = depth[:, :1], x[:1]
        sway = (1 + 5 * near[:, :1]) * np.sin(row * 0.42 / (0.35 + near[:, :1]) - t * 2.6)
        bend = (1 + 2 * near[:, :1]) * np.sin(column * 0.035 + row * 0.11 + t * 1.7)
        source_y = (QUAY_Y - 1 - depth * 1.7 + bend).astype(np.float32)
        mirrored = cv2.remap(
            image, x + sway, source_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        tint = np.array((26, 44, 82), np.float32)
        share = 0.30 + 0.30 * near[:, :1, None]
        crest = np.maximum(0, np.sin(row * 0.55 + 3 * np.sin(column * 0.021 + t * 0.8) - t * 2.2))
        glint = (crest**6 * (0.3 + np.sin(column * 0.17 + row * 0.9 + t)) * 34)[:, :, None]
        water = mirrored * (0.92 - share) + tint * share + glint * np.array((1.0, 0.85, 0.7))
        image[QUAY_Y:WATER_END_Y] = np.clip(water, 0, 255)

    def _draw_boats(self, image: Image, t: float) -> None:
        sail, steamer = self._boats
        put(image, steamer, -260 + 44 * t, 548 + 1.6 * math.sin(t * 1.3), 1.0)
        put(image, sail, 1180 - 26 * t, 566 + 2.2 * math.sin(t * 1.1), 1.0)

    def _draw_words(self, image: Image, t: float) -> None:
        blend(image, self._title, WIDTH / 2, 230, _faded(t, 0.0, 4.8, fade_in_s=0.0))
        for start, end, words in self._captions:
            blend(image, words, WIDTH / 2, 690, _faded(t, start, end))


def _faded(t: float, start: float, end: float, fade_in_s: float = 0.6) -> float:
    rise = 1.0 if fade_in_s == 0 else (t - start) / fade_in_s
    return min(1.0, max(0.0, min(rise, (end - t) / 0.8)))
