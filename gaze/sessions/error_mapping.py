"""Errors of other packages as problems of docs/api.md."""

from http import HTTPStatus

from gaze.base.problems import ProblemError
from gaze.effects.chain import EffectError
from gaze.rtc.ice.udp_transport import NoPortError
from gaze.rtc.sdp.offer import OfferError

RETRY_AFTER_S = 10
"""When to try again where the server is full or starting something. Chosen by hand; no benchmark
covers it."""


def offer_problem(error: OfferError) -> ProblemError:
    """Map what is wrong in an offer to 400 or 422.

    Parameters
    ----------
    error : OfferError
        Names the field.

    Returns
    -------
    ProblemError
        To be raised.
    """
    status = (
        HTTPStatus.BAD_REQUEST if error.kind == "not-an-offer" else HTTPStatus.UNPROCESSABLE_ENTITY
    )
    return ProblemError(status, f"{error.field}: {error}", field=error.field)


def no_port_problem(error: NoPortError) -> ProblemError:
    """Map too few UDP ports to 503.

    Parameters
    ----------
    error : NoPortError
        Says which range is used up.

    Returns
    -------
    ProblemError
        To be raised.
    """
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE, f"the server is full: {error}", retry_after_s=RETRY_AFTER_S
    )


def effect_problem(error: EffectError) -> ProblemError:
    """Map what is wrong in a chain of effects to 422.

    Parameters
    ----------
    error : EffectError
        Names the field.

    Returns
    -------
    ProblemError
        To be raised.
    """
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY, f"{error.field}: {error.message}", field=error.field
    )


def unavailable_problem(detail: str) -> ProblemError:
    """Say that something cannot be had now, as 503.

    Parameters
    ----------
    detail : str
        What.

    Returns
    -------
    ProblemError
        To be raised.
    """
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, retry_after_s=RETRY_AFTER_S)
