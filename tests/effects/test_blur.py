"""Foveation: where it is sharp, how blurred it is elsewhere, and how it moves."""

import dataclasses
import itertools
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gaze.effects.acuity import Acuity
from gaze.effects.blur import LevelMap
from gaze.effects.chain import Chain
from gaze.frames.planes import planes_of
from simulation.film_frames import FRAME_S, film_frame, looking, play

WIDTH, HEIGHT = 640, 360


def luma(frame: av.VideoFrame) -> NDArray[np.uint8]:
    return planes_of(frame, writable=False).y


def sharpness(picture: NDArray[np.uint8], x: float, y: float, side: int = 60) -> float:
    """Variance of the Laplacian around a point given in fractions."""
    row, column = round(y * picture.shape[0]), round(x * picture.shape[1])
    half = side // 2
    patch = picture[max(0, row - half) : row + half, max(0, column - half) : column + half]
    return float(cv2.Laplacian(patch, cv2.CV_64F).var())


def test_it_is_the_source_where_the_viewer_looks_and_blurred_away_from_there() -> None:
    frame = film_frame(WIDTH, HEIGHT)
    drawn = play(Chain([{"name": "blur"}]), frame, (0.3, 0.5), seconds=0.5)
    source, result = planes_of(frame, writable=False), planes_of(drawn, writable=False)
    row, column, reach = 180, 192, round(0.1 * HEIGHT)
    box = np.s_[row - reach : row + reach, column - reach : column + reach]
    assert np.array_equal(result.y[box], source.y[box])
    box = np.s_[90 - 18 : 90 + 18, 96 - 18 : 96 + 18]
    assert np.array_equal(result.u[box], source.u[box])
    assert np.array_equal(result.v[box], source.v[box])
    assert sharpness(result.y, 0.3, 0.5) > 100 * sharpness(result.y, 0.85, 0.5)
    assert result.y.mean() == pytest.approx(source.y.mean(), abs=0.5)


def test_blur_grows_with_eccentricity() -> None:
    drawn = play(Chain([{"name": "blur"}]), film_frame(WIDTH, HEIGHT), (0.1, 0.5), seconds=0.5)
    along = [sharpness(luma(drawn), x, 0.5, 30) for x in (0.1, 0.2, 0.26, 0.32, 0.38, 0.44)]
    assert all(nearer > farther for nearer, farther in itertools.pairwise(along))


def test_it_can_be_seen_after_the_encoder() -> None:
    """VP8 at 2 Mbit/s, 720p, moving content: the sharp part keeps three times the detail."""
    chain = Chain([{"name": "blur", "strength": 0.8}])
    encoder = av.CodecContext.create("libvpx", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = 1280, 720, "yuv420p"
    encoder.bit_rate = 2_000_000
    encoder.time_base = Fraction(1, 30)
    encoder.options = {"deadline": "realtime", "cpu-used": "-8", "lag-in-frames": "0"}
    decoder = av.CodecContext.create("vp8", "r")
    frame = film_frame(1280, 720)
    soft = cv2.GaussianBlur(luma(frame), (0, 0), 2).astype(float)
    planes_of(frame, writable=True).y[:] = np.clip((soft - 128) * 4 + 128, 0, 255)
    decoded: list[av.VideoFrame] = []
    for index in range(15):
        drawn = chain.apply(frame, looking((0.3, 0.5), index * FRAME_S), index * FRAME_S)
        drawn.pts, drawn.time_base = index, Fraction(1, 30)
        for packet in encoder.encode(drawn):
            decoded += decoder.decode(packet)
    assert sharpness(luma(decoded[-1]), 0.3, 0.5) > 5 * sharpness(luma(decoded[-1]), 0.8, 0.5)


def test_area_gaze_hides_what_is_looked_at() -> None:
    frame = film_frame(WIDTH, HEIGHT)
    chain = Chain([{"name": "blur", "area": "gaze", "radius": 0.2, "softness": 0.2}])
    drawn = luma(play(chain, frame, (0.3, 0.5), seconds=0.5))
    assert np.array_equal(drawn[:, 360:], luma(frame)[:, 360:])
    assert sharpness(luma(frame), 0.3, 0.5) > 100 * sharpness(drawn, 0.3, 0.5)


def test_area_all_needs_no_gaze() -> None:
    frame = film_frame(WIDTH, HEIGHT)
    drawn = luma(Chain([{"name": "blur", "area": "all"}]).apply(frame, None, 0.0))
    for x, y in itertools.product((0.1, 0.5, 0.9), repeat=2):
        assert sharpness(luma(frame), x, y) > 100 * sharpness(drawn, x, y)


def test_strength_is_continuous() -> None:
    frame = film_frame(WIDTH, HEIGHT)
    before = luma(frame).astype(float)
    for strength in np.linspace(0.01, 1, 100):
        chain = Chain([{"name": "blur", "area": "all", "strength": float(strength)}])
        drawn = luma(chain.apply(frame, None, 0.0)).astype(float)
        assert np.abs(drawn - before).mean() < 3
        before = drawn


def test_a_fixation_does_not_shimmer() -> None:
    frame = film_frame(WIDTH, HEIGHT)
    chain = Chain([{"name": "blur"}])
    rng = np.random.default_rng(0)
    first = luma(chain.apply(frame, looking((0.5, 0.5), 0.0), 0.0)).copy()
    for index in range(1, 30):
        x, y = 0.5 + rng.uniform(-0.004, 0.004, 2)
        t_s = index * FRAME_S
        assert np.array_equal(luma(chain.apply(frame, looking((x, y), t_s), t_s)), first)


def test_a_saccade_moves_it_at_once_and_a_pursuit_smoothly() -> None:
    frame = film_frame(WIDTH, HEIGHT)
    chain = Chain([{"name": "blur"}])
    play(chain, frame, (0.2, 0.5), seconds=0.5)
    drawn = luma(chain.apply(frame, looking((0.8, 0.5), 0.5), 0.5))
    assert np.array_equal(drawn[160:200, 490:530], luma(frame)[160:200, 490:530])
    for index in range(60):
        t_s = 0.6 + index * FRAME_S
        x = 0.8 - index * 0.005
        drawn = luma(chain.apply(frame, looking((x, 0.5), t_s), t_s))
    column = round(x * WIDTH)
    box = np.s_[170:190, column - 10 : column + 10]
    assert np.array_equal(drawn[box], luma(frame)[box])


@pytest.mark.parametrize("area", ["periphery", "gaze"])
@pytest.mark.parametrize("place", [(0.8, 0.3), (0.05, 0.98), (-0.5, 0.5), (1.3, 1.9)])
def test_a_blur_that_came_from_elsewhere_is_as_one_that_began_there(
    area: str, place: tuple[float, float]
) -> None:
    frame = film_frame(WIDTH, HEIGHT)
    moved = Chain([{"name": "blur", "area": area}])
    for index, at in enumerate([(0.5, 0.5), (0.2, 0.4), place]):
        drawn = moved.apply(frame, looking(at, index * FRAME_S), index * FRAME_S)
    fresh = Chain([{"name": "blur", "area": area}]).apply(frame, looking(place, 0.0), 0.0)
    assert np.array_equal(luma(drawn), luma(fresh))


def test_an_unknown_gaze_is_held_and_then_the_picture_becomes_sharp() -> None:
    frame = film_frame(WIDTH, HEIGHT)
    chain = Chain([{"name": "blur"}])
    before = luma(play(chain, frame, (0.2, 0.5), seconds=0.5)).copy()
    held = luma(play(chain, frame, None, seconds=0.9, start_s=0.5))
    assert np.array_equal(held, before)
    far = []
    for index in range(90):
        t_s = 1.4 + index * FRAME_S
        drawn = chain.apply(frame, looking(None, t_s) if index % 2 else None, t_s)
        far.append(sharpness(luma(drawn), 0.9, 0.5))
        assert np.array_equal(luma(drawn)[160:200, 108:148], luma(frame)[160:200, 108:148])
    assert drawn is frame
    assert far[10] < far[-1] / 10
    assert all(later >= earlier * 0.99 for earlier, later in itertools.pairwise(far))


def test_uncertainty_widens_the_sharp_region() -> None:
    frame = film_frame(WIDTH, HEIGHT)
    place = (0.3 + 0.3 * HEIGHT / WIDTH, 0.5)
    drawn = []
    for uncertainty in (None, 0.05):
        gaze = looking((0.3, 0.5), 0.0, uncertainty=uncertainty)
        drawn.append(luma(Chain([{"name": "blur"}]).apply(frame, gaze, 0.0)))
    assert sharpness(drawn[1], *place, 20) > 1.5 * sharpness(drawn[0], *place, 20)


@pytest.mark.parametrize("area", ["periphery", "gaze", "all"])
@pytest.mark.parametrize("depth", [0.3, 1.0, 2.4, 4.0])
def test_weights_are_settled_beyond_their_reach(area: str, depth: float) -> None:
    levels = LevelMap(area, 0.5, 0.5, 0.1, 0.3, depth)  # type: ignore[arg-type]
    eccentricity = np.linspace(0, 2, 401, dtype=np.float32)
    for k in range(int(np.ceil(depth))):
        weight = levels.weight(k, eccentricity)
        beyond = weight[eccentricity > levels.reach(k) + 1e-6]
        assert np.allclose(beyond, 1.0 if area == "gaze" else 0.0, atol=1e-5)
    level = sum(1 - levels.weight(k, eccentricity) for k in range(int(np.ceil(depth))))
    assert level.max() == pytest.approx(depth, abs=1e-5)
    assert level.min() == pytest.approx(depth if area == "all" else 0.0, abs=1e-5)


@pytest.mark.parametrize("gain", [1.0, 3.0])
@pytest.mark.parametrize("depth", [1.3, 3.0])
def test_the_acuity_map_is_what_the_model_says(gain: float, depth: float) -> None:
    acuity = Acuity.of_picture(1280, 30.0, gain)
    levels = LevelMap("periphery", 0.5, 0.5, 0.05, 0.3, depth, acuity, height_deg=16.9)
    eccentricity = np.linspace(0, 2, 401, dtype=np.float32)
    beyond_deg = np.maximum(0, eccentricity - 0.05) * 16.9
    level = sum(1 - levels.weight(k, eccentricity) for k in range(int(np.ceil(depth))))
    assert level == pytest.approx(np.minimum(depth, acuity.level(beyond_deg)), abs=1e-4)
    for k in range(int(np.ceil(depth))):
        weight = levels.weight(k, eccentricity)
        assert np.allclose(weight[eccentricity > levels.reach(k) + 1e-6], 0.0, atol=1e-5)


def test_visible_blurs_more_than_perceptual_and_both_leave_the_gaze_sharp() -> None:
    frame = film_frame(1280, 720)
    far = {}
    for model in ("perceptual", "visible"):
        chain = Chain([{"name": "blur", "model": model}])
        gaze = dataclasses.replace(looking((0.3, 0.5), 0.0), picture_deg=30.0)
        drawn = luma(chain.apply(frame, gaze, 0.0))
        assert np.array_equal(drawn[350:370, 374:394], luma(frame)[350:370, 374:394])
        far[model] = sharpness(drawn, 0.8, 0.5)
    assert sharpness(luma(frame), 0.8, 0.5) > 5 * far["perceptual"] > 10 * far["visible"]


def test_how_large_the_picture_is_to_the_viewer_counts() -> None:
    frame = film_frame(1280, 720)
    far = []
    for picture_deg in (60.0, 15.0):
        gaze = dataclasses.replace(looking((0.3, 0.5), 0.0), picture_deg=picture_deg)
        drawn = Chain([{"name": "blur", "model": "perceptual"}]).apply(frame, gaze, 0.0)
        far.append(sharpness(luma(drawn), 0.8, 0.5))
    level = [Acuity.of_picture(1280, deg).level(np.array(deg / 2)) for deg in (60.0, 15.0)]
    assert level[0] < level[1]
    assert far[0] > 1.2 * far[1]


def test_an_ellipse_has_the_pictures_proportions() -> None:
    frame = film_frame(WIDTH, HEIGHT)
    chain = Chain([{"name": "blur", "shape": "ellipse", "radius": 0.2, "softness": 0.1}])
    same = luma(play(chain, frame, (0.5, 0.5), seconds=0.3)) == luma(frame)
    wide, high = same[178:182].all(axis=0).sum(), same[:, 318:322].all(axis=1).sum()
    assert wide / high == pytest.approx(WIDTH / HEIGHT, rel=0.08)


def test_it_tells_where_detail_went() -> None:
    chain = Chain([{"name": "blur"}])
    frame = film_frame(WIDTH, HEIGHT + 1)
    drawn = play(chain, frame, (0.25, 0.5), seconds=0.5)
    softened = chain.softened
    assert softened is not None
    assert softened.shape == (23, 40)
    assert softened[11, 10] == 0
    assert (np.diff(softened[11, 10:]) >= 0).all()
    kept = luma(drawn) == planes_of(frame, writable=False).y
    for row, column in np.argwhere(softened[:22] == 0):
        block = kept[16 * row + 4 : 16 * row + 12, 16 * column + 4 : 16 * column + 12]
        assert block.mean() > 0.9
    # 0.8 of the full strength in a picture half as high as 720 rows.
    assert softened.max() == pytest.approx(0.8 * 3, abs=0.01)


def test_nothing_is_told_of_a_picture_that_was_moved_or_left_alone() -> None:
    frame = film_frame(WIDTH, HEIGHT)
    follow = {"name": "zoom", "mode": "follow"}
    for specs, told in (
        ([{"name": "blur"}, {"name": "cursor"}], True),
        ([follow, {"name": "blur"}], True),
        ([{"name": "blur"}, follow], False),
        ([{"name": "cursor"}], False),
    ):
        chain = Chain(specs)
        play(chain, frame, (0.3, 0.4), seconds=1.0)
        assert (chain.softened is not None) == told


def test_of_two_the_softer_counts() -> None:
    chain = Chain([{"name": "blur"}, {"name": "blur", "area": "gaze", "strength": 0.4}])
    play(chain, film_frame(WIDTH, HEIGHT), (0.5, 0.5), seconds=0.5)
    assert chain.softened is not None
    assert chain.softened[11, 20] == pytest.approx(0.4 * 3, abs=0.01)
    assert chain.softened[0, 0] == pytest.approx(0.8 * 3, abs=0.01)
