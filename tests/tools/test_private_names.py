"""The count of private names, and that nothing hides from it."""

from pathlib import Path

import pytest

from gaze.rtc.aiortc_ext.relied_upon import points
from tools.private_names import HOME, LIMIT, ROOT, Library, private_names, undocumented, uses


@pytest.fixture(scope="module")
def library() -> Library:
    return private_names()


def test_gaze_uses_few_private_names_and_all_of_them_in_one_package(library: Library) -> None:
    found = uses(ROOT, ["gaze"], library)
    assert found
    assert len({use.name for use in found}) <= LIMIT
    assert [use for use in found if not use.path.startswith(HOME)] == []


def test_every_private_name_in_use_is_in_the_table(library: Library) -> None:
    table = {point.name.split(".")[-1] for point in points() if point.private}
    assert {use.name for use in uses(ROOT, ["gaze"], library)} <= table
    assert len([point for point in points() if point.private]) <= LIMIT


@pytest.mark.parametrize(
    "line",
    [
        "receiver._RTCRtpReceiver__jitter_buffer = buffer",
        "getattr(transport, '_ssl')",
        "setattr(transport, '_ssl', None)",
        "vars(transport)['_RTCDtlsTransport__handshake_done']",
        "monkeypatch.setattr('aiortc.rtcdtlstransport.RTCDtlsTransport._ssl', None)",
        "patch.object(transport, '_recv_next')",
        "from aiortc.rtp import _hidden_like_binding; x.y._ssl",
        "class T(RTCDtlsTransport):\n    def _recv_next(self): ...",
        "class T(RTCDtlsTransport):\n    def f(self): return self._ssl",
        "class T(RTCDtlsTransport):\n    pass\nclass U(T):\n    def f(self): return self._ssl",
    ],
)
@pytest.mark.parametrize("folder", [HOME, "gaze/media"])
def test_a_use_is_found_however_it_is_written(
    library: Library, tmp_path: Path, folder: str, line: str
) -> None:
    (tmp_path / folder).mkdir(parents=True)
    text = f"from aiortc import RTCDtlsTransport\n{line}\n"
    (tmp_path / folder / "module.py").write_text(text)
    (use,) = uses(tmp_path, ["gaze"], library)
    assert use.name in ("_RTCRtpReceiver__jitter_buffer", "_ssl", "_recv_next") or (
        use.name == "_RTCDtlsTransport__handshake_done"
    )
    assert use.path == f"{folder.rstrip('/')}/module.py"


def test_attributes_of_our_own_classes_are_not_the_libraries(
    library: Library, tmp_path: Path
) -> None:
    (tmp_path / "gaze").mkdir()
    (tmp_path / "gaze" / "module.py").write_text(
        "from aiortc import MediaStreamTrack\n"
        "class Track(MediaStreamTrack):\n"
        "    def f(self): return self._ssl\n"
        "class Other:\n"
        "    def _recv_next(self): return self._ssl\n"
    )
    assert uses(tmp_path, ["gaze"], library) == []


def test_names_below_the_top_level_are_undocumented(tmp_path: Path) -> None:
    (tmp_path / "gaze").mkdir()
    (tmp_path / "gaze" / "module.py").write_text(
        "from aiortc import RTCPeerConnection\n"
        "from aiortc.mediastreams import MediaStreamTrack\n"
        "from aiortc.rtp import RtpPacket\n"
    )
    (use,) = undocumented(tmp_path, ["gaze"])
    assert (use.name, use.line) == ("aiortc.rtp:RtpPacket", 3)
