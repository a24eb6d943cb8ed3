"""Consent freshness of an ICE connection (RFC 7675)."""

CONSENT_EXPIRY_S = 3.0  # chosen by hand; tests/rtc/test_gone.py holds it
CONSENT_FAILURES = 2
CONSENT_LONGEST_S = 30.0  # RFC 7675, section 5.1: consent expires after 30 s


class Consent:
    """Whether the peer still consents to being sent to (RFC 7675); scripted by the given times.

    Its silence for 3 s ends the consent. Checks alone would not do: when a network path becomes
    narrow, its full queue drops them for seconds, while the peer's own packets show that it is
    there.

    Parameters
    ----------
    now_s : float
        Monotonic time at which consent begins.
    """

    def __init__(self, now_s: float) -> None:
        self._given_s = now_s
        self._failures = 0

    def given(self, now_s: float) -> None:
        """Note that a check was answered.

        Parameters
        ----------
        now_s : float
            Monotonic time.
        """
        self._given_s = now_s
        self._failures = 0

    def failed(self) -> None:
        """Note that a check was not answered."""
        self._failures += 1

    def expired(self, heard_s: float, now_s: float) -> bool:
        """Return whether sending must stop.

        Parameters
        ----------
        heard_s : float
            Monotonic time of the peer's last datagram.
        now_s : float
            Monotonic time.
        """
        if now_s - self._given_s >= CONSENT_LONGEST_S and self._failures >= CONSENT_FAILURES:
            return True
        silent_s = now_s - max(self._given_s, heard_s)
        # Failures count too: a stall of our own event loop is not the peer's silence.
        return silent_s >= CONSENT_EXPIRY_S and self._failures >= CONSENT_FAILURES
