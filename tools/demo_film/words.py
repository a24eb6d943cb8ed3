"""The demo film's title and captions."""

import cv2
import numpy as np

from tools.demo_film.canvas import CLEAR, SERIF, SOLID, Sprite, as_image, canvas, sprite, text_mask


def title() -> Sprite:
    """The word "gaze", drawn of circles and lines; the a's bowl is an iris."""
    width, height, thick, radius = 1240, 560, 26, 84
    _, alpha = canvas(width, height)
    base, xs = 230, (210, 480, 740, 1000)

    def ring(x: int, start: float, end: float) -> None:
        cv2.ellipse(alpha, (x, base), (radius, radius), 0, start, end, SOLID, thick, cv2.LINE_AA)

    g, a, z, e = xs
    ring(g, 0, 360)
    cv2.line(
        alpha, (g + radius, base - radius), (g + radius, base + 100), SOLID, thick, cv2.LINE_AA
    )
    cv2.ellipse(alpha, (g, base + 100), (radius, radius), 0, 0, 140, SOLID, thick, cv2.LINE_AA)
    ring(a, 0, 360)
    cv2.circle(alpha, (a, base), 34, SOLID, -1, cv2.LINE_AA)
    cv2.circle(alpha, (a + 12, base - 12), 10, CLEAR, -1, cv2.LINE_AA)
    cv2.line(
        alpha, (a + radius, base - radius), (a + radius, base + radius), SOLID, thick, cv2.LINE_AA
    )
    corners = ((z - 66, base - 80), (z + 66, base - 80), (z - 66, base + 80), (z + 66, base + 80))
    cv2.polylines(alpha, [np.array(corners)], False, SOLID, thick, cv2.LINE_AA)
    ring(e, 40, 360)
    cv2.line(alpha, (e - radius, base + 4), (e + radius, base + 4), SOLID, thick - 4, cv2.LINE_AA)
    text_mask(alpha, "an evening by the harbour", (z + 8, base + 176), 1.5)

    shadow = cv2.GaussianBlur(alpha, (0, 0), 9)
    halo = cv2.convertScaleAbs(cv2.add(shadow, cv2.GaussianBlur(alpha, (0, 0), 30)), alpha=0.85)
    ink = alpha.astype(np.float32)[:, :, None] / 255
    colour = ink * np.array((255, 246, 226)) + (1 - ink) * np.array((24, 22, 54))
    return sprite(colour.astype(np.uint8), as_image(cv2.max(alpha, halo)), (width / 2, base))


def caption(text: str) -> Sprite:
    (width, height), _ = cv2.getTextSize(text, SERIF, 1.5, 2)
    _, alpha = canvas(width + 80, height + 60)
    text_mask(alpha, text, ((width + 80) / 2, (height + 60) / 2), 1.5)
    halo = cv2.convertScaleAbs(cv2.GaussianBlur(alpha, (0, 0), 8), alpha=2.4)
    edge = cv2.dilate(alpha, np.ones((5, 5), np.uint8))
    ink = alpha.astype(np.float32)[:, :, None] / 255
    colour = ink * np.array((255, 248, 230)) + (1 - ink) * np.array((20, 16, 30))
    cover = as_image(cv2.max(edge, halo))
    return sprite(colour.astype(np.uint8), cover, ((width + 80) / 2, (height + 60) / 2))
