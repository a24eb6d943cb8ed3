"""The demo film's row of houses along the water, with shops, windows and the tram."""

import cv2
import numpy as np

from tools.demo_film.canvas import (
    FACADES,
    QUAY_Y,
    SCALE,
    SERIF,
    SOLID,
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

_SIGNS = ("CAFE", "BOOKS", "TEA", "MAPS", "BAKERY", "OPTICS", "INN", "PIANOS", "CLOCKS", "FISH")


def houses(rng: np.random.Generator) -> Layer:
    top, width = 200, WIDTH + 920
    height = QUAY_Y - top
    colour, alpha = canvas(width * SCALE, height * SCALE)
    left, number, last = 0, 0, -1
    street = height * SCALE - 18
    while left < width * SCALE:
        wide = int(rng.integers(140, 230))
        paint = (last + int(rng.integers(1, len(FACADES) - 1))) % len(FACADES)
        _draw_house(rng, colour, alpha, left, wide, street, FACADES[paint], number)
        left, number, last = left + wide, number + 1, paint
    cv2.rectangle(colour, (0, street), (width * SCALE, height * SCALE), (112, 96, 100), -1)
    cv2.rectangle(alpha, (0, street), (width * SCALE, height * SCALE), SOLID, -1)
    for x in range(0, width * SCALE, 14):
        tone = int(rng.integers(84, 140))
        cv2.rectangle(
            colour, (x, street + 6), (x + 12, street + 17), (tone, tone - 10, tone - 8), -1
        )
    _draw_string_lights(colour, alpha, width * SCALE, street)
    return layer(colour, alpha, top, 1)


def _draw_house(
    rng: np.random.Generator,
    colour: Image,
    alpha: Image,
    left: int,
    wide: int,
    street: int,
    paint: Colour,
    number: int,
) -> None:
    floors = int(rng.integers(3, 5))
    storey = 72
    eaves = street - floors * storey - 30
    right = left + wide
    gable = int(rng.integers(56, 96))
    light = np.linspace(1.06, 0.70, street - eaves)[:, None, None]
    bricks = np.ones((street - eaves, wide), np.float32)
    bricks[::8] *= 0.86
    for row, y in enumerate(range(0, street - eaves, 8)):
        bricks[y : y + 8, (row % 2) * 9 :: 18] *= 0.86
    bricks *= 0.93 + 0.14 * rng.random(bricks.shape, np.float32)
    front = np.array(paint) * light * bricks[:, :, None]
    right_end = min(right, colour.shape[1])
    colour[eaves:street, left:right_end] = np.clip(front, 0, 255)[:, : right_end - left]
    alpha[eaves:street, left:right_end] = 255
    _draw_gable(rng, colour, alpha, left, right, eaves, gable, paint, number)
    cv2.rectangle(colour, (left, eaves - 3), (right, eaves + 5), shade(paint, 1.3), -1)
    cv2.rectangle(colour, (left, eaves + 6), (right, eaves + 8), shade(paint, 0.55), -1)
    cv2.line(colour, (left, eaves), (left, street), shade(paint, 0.5), 2)
    columns = max(2, wide // 52)
    for floor in range(1, floors):
        y = eaves + 22 + (floor - 1) * storey
        for column in range(columns):
            x = left + round((column + 0.5) * wide / columns)
            _draw_window(rng, colour, x, y, paint)
    _draw_shop(rng, colour, left, right, street, paint, number)


def _draw_gable(
    rng: np.random.Generator,
    colour: Image,
    alpha: Image,
    left: int,
    right: int,
    eaves: int,
    gable: int,
    paint: Colour,
    number: int,
) -> None:
    middle, wide = (left + right) // 2, right - left
    tile = shade((168, 84, 64), 0.75 + 0.5 * rng.random())
    for chimney in (left + 24, right - 40):
        top = eaves - gable - 6
        for image, fill in ((colour, (132, 74, 62)), (alpha, SOLID)):
            cv2.rectangle(image, (chimney, top), (chimney + 16, eaves), fill, -1)
        for row in range(top, eaves, 6):
            cv2.line(colour, (chimney, row), (chimney + 16, row), (98, 54, 48), 1)
        cv2.rectangle(colour, (chimney - 2, top), (chimney + 18, top + 5), (176, 110, 90), -1)
    kind = number % 3
    if kind == 0:
        steps = [(left + 8, eaves)]
        for step in range(5):
            y = eaves - gable * (step + 1) // 5
            x = left + 8 + (wide // 2 - 22) * step // 4
            steps += [(x, steps[-1][1]), (x, y)]
        shape = np.array(steps + [(left + right - x, y) for x, y in reversed(steps)])
        body = paint
    elif kind == 1:
        shape = np.array(((left - 4, eaves), (middle, eaves - gable), (right + 4, eaves)))
        body = tile
    else:
        inset = wide // 7
        shape = np.array(
            (
                (left, eaves),
                (left + inset, eaves - gable),
                (right - inset, eaves - gable),
                (right, eaves),
            )
        )
        body = tile
    mask = np.zeros_like(alpha[eaves - gable - 2 : eaves + 2])
    cv2.fillPoly(mask, [shape - (0, eaves - gable - 2)], SOLID, cv2.LINE_AA)
    region = colour[eaves - gable - 2 : eaves + 2]
    y, x = np.mgrid[0 : mask.shape[0], 0 : mask.shape[1]]
    if body is paint:
        texture = np.where(y % 8 == 0, 0.84, 1.0) * 0.98
    else:
        row = y // 9
        scallop = np.hypot((x + row % 2 * 6) % 12 - 6, (y % 9) - 1) > 6.4
        texture = np.where(scallop, 0.62, 0.9 + 0.18 * ((x // 12 * 7 + row * 5) % 4) / 3)
    region[mask > 0] = np.clip(np.array(body) * texture[:, :, None], 0, 255)[mask > 0]
    np.maximum(alpha[eaves - gable - 2 : eaves + 2], mask, out=alpha[eaves - gable - 2 : eaves + 2])
    cv2.polylines(colour, [shape], False, shade(body, 1.35), 3, cv2.LINE_AA)
    cv2.circle(colour, (middle, eaves - gable // 2 + 8), 12, (248, 232, 206), -1, cv2.LINE_AA)
    glass = (255, 214, 130) if number % 2 else (70, 84, 116)
    cv2.circle(colour, (middle, eaves - gable // 2 + 8), 9, glass, -1, cv2.LINE_AA)
    for dx, dy in ((0, 9), (9, 0)):
        centre = (middle, eaves - gable // 2 + 8)
        start, end = (centre[0] - dx, centre[1] - dy), (centre[0] + dx, centre[1] + dy)
        cv2.line(colour, start, end, (240, 226, 204), 1, cv2.LINE_AA)


def _draw_window(rng: np.random.Generator, colour: Image, x: int, y: int, paint: Colour) -> None:
    half, height = 14, 46
    frame = (246, 236, 216)
    cv2.rectangle(colour, (x - half - 3, y - 3), (x + half + 3, y + height + 3), frame, -1)
    lit = rng.random() < 0.6
    if lit:
        warm = np.array(((255, 226, 150), (255, 196, 104), (252, 210, 160))[int(rng.integers(3))])
        fade = np.linspace(1.0, 0.78, height + 1)[:, None, None]
        colour[y : y + height + 1, x - half : x + half] = (warm * fade).astype(np.uint8)
    else:
        sheen = np.linspace(0, 1, height + 1)[:, None, None]
        dusk = np.array((66, 72, 116)) * (1 - sheen) + np.array((172, 116, 128)) * sheen
        colour[y : y + height + 1, x - half : x + half] = dusk.astype(np.uint8)
    kind = int(rng.integers(5))
    if lit and kind == 0:
        cv2.circle(colour, (x - 3, y + 26), 5, (92, 58, 56), -1, cv2.LINE_AA)
        cv2.ellipse(colour, (x - 3, y + 45), (9, 15), 0, 180, 360, (92, 58, 56), -1, cv2.LINE_AA)
    elif kind == 1:
        for side in (-1, 1):
            fold = np.array(
                ((x + side * half, y), (x + side * 3, y), (x + side * half, y + height - 8))
            )
            cv2.fillPoly(colour, [fold], (226, 140, 122), cv2.LINE_AA)
    elif lit and kind == 2:
        cv2.line(colour, (x, y), (x, y + 12), (110, 74, 60), 1)
        cv2.circle(colour, (x, y + 15), 4, (255, 250, 226), -1, cv2.LINE_AA)
    cv2.line(colour, (x, y), (x, y + height), frame, 2)
    for bar in (y + height // 3, y + 2 * height // 3):
        cv2.line(colour, (x - half, bar), (x + half, bar), frame, 1)
    shutter = shade((70, 112, 108), 0.8 + 0.4 * rng.random())
    if kind != 3:
        for edge in (x - half - 11, x + half + 4):
            cv2.rectangle(colour, (edge, y - 2), (edge + 7, y + height + 2), shutter, -1)
            for slat in range(y, y + height, 4):
                cv2.line(colour, (edge + 1, slat), (edge + 6, slat), shade(shutter, 0.66), 1)
    cv2.rectangle(
        colour,
        (x - half - 5, y + height + 3),
        (x + half + 5, y + height + 7),
        shade(paint, 1.3),
        -1,
    )
    if kind in (0, 3, 4):
        for _ in range(22):
            petal = ((226, 76, 92), (250, 206, 96), (244, 150, 176), (96, 140, 84), (74, 116, 70))
            place = (x + int(rng.integers(-half, half)), y + height + int(rng.integers(-5, 6)))
            cv2.circle(colour, place, 2, petal[int(rng.integers(5))], -1, cv2.LINE_AA)


def _draw_shop(
    rng: np.random.Generator,
    colour: Image,
    left: int,
    right: int,
    street: int,
    paint: Colour,
    number: int,
) -> None:
    top = street - 92
    panel = shade(((52, 74, 84), (98, 50, 54), (60, 82, 64), (76, 60, 92))[number % 4], 1.0)
    cv2.rectangle(colour, (left + 8, top), (right - 8, street), panel, -1)
    cv2.rectangle(colour, (left + 8, top), (right - 8, top + 24), shade(panel, 1.35), -1)
    text(
        colour,
        _SIGNS[number % len(_SIGNS)],
        ((left + right) / 2, top + 12),
        0.62,
        (255, 232, 180),
        SERIF,
    )
    door = left + 18 if number % 2 else right - 50
    pane_left, pane_right = (door + 42, right - 18) if number % 2 else (left + 18, door - 10)
    glow = np.linspace(1.0, 0.72, street - 10 - top - 42)[:, None, None]
    colour[top + 42 : street - 10, pane_left:pane_right] = np.array((255, 208, 128)) * glow
    for shelf in (top + 58, top + 74):
        cv2.line(colour, (pane_left, shelf), (pane_right, shelf), (130, 84, 60), 1)
        for x in range(pane_left + 2, pane_right - 4, 6):
            tall = int(rng.integers(5, 13))
            goods = shade(FACADES[int(rng.integers(len(FACADES)))], 0.8)
            cv2.rectangle(colour, (x, shelf - tall), (x + 4, shelf - 1), goods, -1)
    for x in range(pane_left, pane_right, 30):
        cv2.line(colour, (x, top + 42), (x, street - 10), panel, 2)
    cv2.rectangle(colour, (door, top + 34), (door + 32, street), shade(panel, 0.7), -1)
    cv2.rectangle(colour, (door + 5, top + 40), (door + 27, top + 64), (255, 220, 150), -1)
    cv2.circle(colour, (door + 27, street - 24), 2, (250, 214, 120), -1, cv2.LINE_AA)
    stripes = ((250, 240, 222), shade(paint, 1.15))
    for part, x in enumerate(range(pane_left - 6, pane_right + 6, 12)):
        shape = np.array(((x, top + 26), (x + 12, top + 26), (x + 13, top + 44), (x - 1, top + 44)))
        cv2.fillPoly(colour, [shape], stripes[part % 2], cv2.LINE_AA)
        cv2.circle(colour, (x + 6, top + 44), 6, stripes[part % 2], -1, cv2.LINE_AA)


def _draw_string_lights(colour: Image, alpha: Image, width: int, street: int) -> None:
    bulbs = ((255, 226, 150), (255, 150, 120), (160, 220, 230), (250, 190, 220))
    for start in range(40, width, 300):
        for step in range(31):
            u = step / 30
            x = int(start + 300 * u)
            y = int(street - 108 + 64 * u * (1 - u) * 1.6)
            if x < width - 2 and step < 30:
                cv2.line(colour, (x, y), (x + 10, y), (60, 44, 52), 1, cv2.LINE_AA)
                if step % 3 == 0:
                    cv2.circle(colour, (x, y + 5), 4, bulbs[step // 3 % 4], -1, cv2.LINE_AA)
                    cv2.circle(alpha, (x, y + 5), 4, SOLID, -1, cv2.LINE_AA)


def tram() -> Sprite:
    colour, alpha = canvas(420, 124)
    for image, red, roof, dark in (
        (colour, (188, 52, 48), (232, 220, 200), (40, 34, 44)),
        (alpha, SOLID, SOLID, SOLID),
    ):
        cv2.rectangle(image, (10, 24), (410, 108), red, -1)
        cv2.rectangle(image, (18, 14), (402, 24), roof, -1)
        cv2.line(image, (200, 14), (226, 0), dark, 2, cv2.LINE_AA)
        for wheel in (70, 110, 310, 350):
            cv2.circle(image, (wheel, 110), 12, dark, -1, cv2.LINE_AA)
    cv2.rectangle(colour, (10, 72), (410, 80), (244, 224, 180), -1)
    text(colour, "7  HARBOUR LINE", (210, 94), 0.62, (250, 236, 206), SERIF)
    for number, x in enumerate(range(20, 396, 34)):
        cv2.rectangle(colour, (x, 32), (x + 27, 66), (255, 226, 158), -1)
        cv2.rectangle(colour, (x, 32), (x + 27, 66), (110, 34, 36), 2)
        if number % 3 != 2:
            coat = shade(FACADES[number % len(FACADES)], 0.55)
            cv2.circle(colour, (x + 13, 48), 6, (96, 62, 56), -1, cv2.LINE_AA)
            cv2.ellipse(colour, (x + 13, 66), (10, 12), 0, 180, 360, coat, -1, cv2.LINE_AA)
    return sprite(colour, alpha, (210.0, 122.0))
