"""What the compiled parts of the tracker share."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaze.vision.kernels.jit import compiled, line_at, read, solve


def test_a_function_whose_outcome_cannot_be_kept_is_compiled_all_the_same():
    made = {}
    exec("def twice(x): return 2.0 * x", made)
    assert compiled("f8(f8)")(made["twice"])(2.5) == 5.0


def test_only_what_finds_the_eyes_loads_the_compiler_and_the_networks():
    said = subprocess.run(
        [sys.executable, "-c", "import server, sys; print(*sys.modules, sep='\\n')"],
        cwd=Path(__file__).parent.parent.parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {name.split(".")[0] for name in said.stdout.split()}
    assert "gaze" in loaded
    assert not loaded & {"numba", "llvmlite", "ai_edge_litert", "mediapipe"}


@given(st.integers(-96, 288), st.integers(-96, 224))
def test_a_picture_is_read_between_its_pixels_and_at_its_edges_beyond_them(across, down):
    x, y = across / 32, down / 32  # as finely as OpenCV reads
    picture = np.random.default_rng(1).integers(0, 256, (5, 7), dtype=np.uint8)
    expected = cv2.remap(
        picture.astype(np.float64),
        np.float32([[min(max(x, 0.0), 6.0)]]),
        np.float32([[min(max(y, 0.0), 4.0)]]),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    assert read(picture, x, y) == pytest.approx(expected.item(), abs=1e-3)
    assert read(picture[:, ::-1], 6.0 - x, y) == pytest.approx(read(picture, x, y), abs=1e-9)


def test_no_number_is_no_place_outside_of_the_picture():
    picture = np.full((4, 4), 9, np.uint8)
    for x, y in ((np.nan, 1.0), (1.0, np.nan), (np.inf, -np.inf)):
        assert read(picture, x, y) == 9.0


@given(st.floats(-2.0, 12.0))
def test_a_line_is_followed_between_its_places(x):
    line = np.array([[0.0, 5.0], [2.0, 1.0], [7.0, 3.0], [9.0, 3.0]])
    assert line_at(line, x) == pytest.approx(np.interp(x, *line.T))


def test_equations_are_solved():
    random = np.random.default_rng(2)
    slopes, wanted = random.random((9, 6)), random.random(6)
    squares = slopes.T @ slopes
    expected = np.linalg.solve(squares, wanted)
    solve(squares, wanted)
    assert wanted == pytest.approx(expected)
