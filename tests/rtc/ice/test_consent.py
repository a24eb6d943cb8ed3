"""Consent freshness by scripted times."""

from gaze.rtc.ice.consent import Consent


def test_consent_expires_when_the_peer_is_silent_not_when_only_its_answers_are_lost() -> None:
    consent = Consent(100.0)
    assert not consent.expired(heard_s=0.0, now_s=102.9)
    assert not consent.expired(heard_s=0.0, now_s=105.0)  # we slept, nobody was asked
    consent.failed()
    consent.failed()
    assert consent.expired(heard_s=0.0, now_s=103.0)
    assert not consent.expired(heard_s=102.0, now_s=104.9)
    assert consent.expired(heard_s=102.0, now_s=105.0)
    assert not consent.expired(heard_s=129.0, now_s=129.0)
    assert consent.expired(heard_s=130.0, now_s=130.0)
    consent.given(130.0)
    assert not consent.expired(heard_s=130.0, now_s=140.0)
