"""The libraries that PyAV's wheels bundle: found by name, and missed with a reason."""

from pathlib import Path

import pytest

from gaze.rtc.codecs import bundled_libs


@pytest.mark.parametrize(
    "file",
    [
        "av.libs/libvpx-edb6de90.so.12.0.0",  # manylinux, musllinux
        "av/.dylibs/libvpx.12.dylib",  # macOS
        "av.libs/libvpx-1-5c0a8d1e.dll",  # Windows
        "av/.libs/libvpx.so",
    ],
)
def test_a_library_is_found_by_its_name(tmp_path: Path, file: str) -> None:
    library = tmp_path / file
    (tmp_path / "av").mkdir()
    library.parent.mkdir(exist_ok=True)
    library.touch()
    for other in ("libvpl-1.so", "libvpx-1.txt", "libvpxenc-1.so", "libvpx-1.so.gz"):
        (library.parent / other).touch()
    assert bundled_libs.find("libvpx", tmp_path / "av") == library


def test_a_wheel_without_the_library_is_reported(tmp_path: Path) -> None:
    with pytest.raises(bundled_libs.Unavailable, match=r"no libvpx in .*av\.libs"):
        bundled_libs.find("libvpx", tmp_path / "av")


@pytest.mark.usefixtures("direct_bindings")
def test_a_library_without_a_function_is_reported() -> None:
    with pytest.raises(bundled_libs.Unavailable, match=r"libvpx cannot be used: .*vpx_no_such"):
        bundled_libs.load("libvpx", [("vpx_no_such", None, ())])
