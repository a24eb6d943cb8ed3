"""What other parts of the house refuse, as problems of docs/api.md."""

from http import HTTPStatus

from gaze.base.problems import ProblemError
from gaze.effects.chain import EffectError
from gaze.rtc.ice.udp_transport import NoPortError
from gaze.rtc.sdp.offer import OfferError

RETRY_AFTER_S = 10


def offer_problem(error: OfferError) -> ProblemError:
    """What was wrong in an offer, as a problem."""
    status = (
        HTTPStatus.BAD_REQUEST if error.kind == "not-an-offer" else HTTPStatus.UNPROCESSABLE_ENTITY
    )
    return ProblemError(status, f"{error.field}: {error}", field=error.field)


def no_port_problem(error: NoPortError) -> ProblemError:
    """Too few UDP ports, as a problem."""
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE, f"the server is full: {error}", retry_after_s=RETRY_AFTER_S
    )


def effect_problem(error: EffectError) -> ProblemError:
    """What was wrong in a chain, as a problem."""
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY, f"{error.field}: {error.message}", field=error.field
    )
