"""What went wrong, as the wire tells it: RFC 9457 problem details."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError


class ProblemError(Exception):
    """A mistake that the other side can mend; carries the problem detail to send."""

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


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem detail; `field` names the wrong member, as in `effects[0].name`."""

    status: HTTPStatus
    detail: str
    field: str | None = None
    retry_after_s: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The members of RFC 9457, plus `field` where one member is to blame."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": self.detail,
        }
        if self.field is not None:
            body["field"] = self.field
        return body


def field_path(location: tuple[int | str, ...]) -> str:
    """`("effects", 0, "name")` as `effects[0].name`."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if path else part
    return path


def first_error(error: ValidationError, drop: int = 0) -> tuple[str, str]:
    """Field and sentence of a validation's first error, without the path's first `drop` parts."""
    first = error.errors(include_url=False, include_context=False)[0]
    field = field_path(first["loc"][drop:])
    return field, f"{field or 'the message'}: {first['msg']}"
