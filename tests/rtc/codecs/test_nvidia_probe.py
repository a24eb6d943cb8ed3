"""Whether NVENC and NVDEC work: tried once, and never fatal."""

import av
import pytest

from gaze.rtc.codecs import nvidia_probe
from gaze.rtc.codecs.nvidia_probe import Probe


class Attempt:
    """Counts how often it is made."""

    def __init__(self, error: Exception | None = None) -> None:
        self.made = 0
        self._error = error

    def __call__(self) -> None:
        self.made += 1
        if self._error:
            raise self._error


def test_what_works_is_tried_once() -> None:
    attempt = Attempt()
    probe = Probe("card", attempt)
    assert not probe.known_to_work
    assert probe.works() and probe.works()
    assert probe.known_to_work
    assert (attempt.made, probe.reason()) == (1, "")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (av.ExternalError(1, "no driver"), "no driver"),
        (RuntimeError("it decodes nothing"), "it decodes nothing"),
        (NotImplementedError(), "NotImplementedError"),
    ],
)
def test_what_does_not_work_is_tried_once_and_the_reason_kept(
    error: Exception, reason: str
) -> None:
    attempt = Attempt(error)
    probe = Probe("card", attempt)
    assert not probe.works() and not probe.works() and not probe.known_to_work
    assert (attempt.made, probe.reason()) == (1, reason)


def test_the_probes_of_this_machine_come_to_an_end() -> None:
    """With a card or without: an outcome, and a reason where it is no."""
    for probe in (nvidia_probe.nvenc, *nvidia_probe.nvdec.values()):
        assert probe.works() is (probe.reason() == "")
