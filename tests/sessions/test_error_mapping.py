"""Errors of other packages as problem details."""

from http import HTTPStatus

from gaze.effects.chain import EffectError
from gaze.rtc.ice.udp_transport import NoPortError
from gaze.rtc.sdp.offer import OfferError
from gaze.sessions.error_mapping import (
    RETRY_AFTER_S,
    effect_problem,
    no_port_problem,
    offer_problem,
    unavailable_problem,
)


def test_each_error_gets_the_status_of_the_contract() -> None:
    none = offer_problem(OfferError("not-an-offer", "sdp", "no v=0")).problem
    assert (none.status, none.field) == (HTTPStatus.BAD_REQUEST, "sdp")
    wrong = offer_problem(OfferError("mid", "tracks.film", "no such mid")).problem
    assert (wrong.status, wrong.field) == (HTTPStatus.UNPROCESSABLE_ENTITY, "tracks.film")
    assert wrong.detail == "tracks.film: no such mid"
    effect = effect_problem(EffectError("effects[0].name", "should be one of blur")).problem
    assert (effect.status, effect.field) == (422, "effects[0].name")


def test_what_cannot_be_had_now_says_when_to_try_again() -> None:
    for error in (no_port_problem(NoPortError("no port is free")), unavailable_problem("full")):
        assert error.problem.status == HTTPStatus.SERVICE_UNAVAILABLE
        assert error.problem.retry_after_s == RETRY_AFTER_S
