"""The libraries beside PyAV: found where wheels have them, and missed with a reason."""

from pathlib import Path

import pytest

from gaze.rtc.codecs import bundled_libs


@pytest.mark.parametrize("folder", ["av.libs", "av/.dylibs"])
def test_a_library_is_found_by_its_name(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir(parents=True)
    library = tmp_path / folder / "libvpx-edb6de90.so.12.0.0"
    library.touch()
    (tmp_path / folder / "libvpl-1.so").touch()
    assert bundled_libs.find("libvpx", tmp_path / "av") == library


def test_a_wheel_without_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(bundled_libs.Unavailable, match=r"no libvpx in .*av\.libs"):
        bundled_libs.find("libvpx", tmp_path / "av")


def test_a_library_without_a_function_is_said() -> None:
    with pytest.raises(bundled_libs.Unavailable, match=r"libvpx cannot be used: .*vpx_no_such"):
        bundled_libs.load("libvpx", [("vpx_no_such", None, ())])
