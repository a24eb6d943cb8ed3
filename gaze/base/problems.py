"""What went wrong, as the wire tells it: RFC 9457 problem details."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem detail.

    Attributes
    ----------
    status : http.HTTPStatus
        The HTTP status that belongs to it.
    detail : str
        What was wrong, what would be right, and where.
    field : str or None
        The wrong member of the request, as in `effects[0].name`.
    retry_after_s : int or None
        When to try again; for 429 and 503.
    """

    status: HTTPStatus
    detail: str
    field: str | None = None
    retry_after_s: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the members of RFC 9457, plus `field` where one member is to blame."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": self.detail,
        }
        if self.field is not None:
            body["field"] = self.field
        return body


class ProblemError(Exception):
    """A mistake that the other side can mend; can be pickled.

    Parameters
    ----------
    status, detail, field, retry_after_s
        See `Problem`.

    Attributes
    ----------
    problem : Problem
        The problem detail to send.
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        field: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.problem = Problem(status, detail, field, retry_after_s)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the problem, since the arguments alone would lose it."""
        return _error_of, (self.problem,)


def _error_of(problem: Problem) -> ProblemError:
    return ProblemError(
        problem.status,
        problem.detail,
        field=problem.field,
        retry_after_s=problem.retry_after_s,
    )


def field_path(location: tuple[int | str, ...]) -> str:
    """Write the path of a member.

    Parameters
    ----------
    location : tuple of int or str
        Names and indices from the outside in, as Pydantic has them.

    Returns
    -------
    str
        `("effects", 0, "name")` as `effects[0].name`.
    """
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if path else part
    return path


def first_error(error: ValidationError, drop: int = 0) -> tuple[str, str]:
    """Describe a validation's first error.

    Parameters
    ----------
    error : pydantic.ValidationError
        What Pydantic found.
    drop : int, default 0
        How many parts of the error's path to leave out at its beginning.

    Returns
    -------
    field, sentence : str
        The wrong member, and a sentence that names it.
    """
    first = error.errors(include_url=False, include_context=False)[0]
    field = field_path(first["loc"][drop:])
    return field, f"{field or 'the message'}: {first['msg']}"
