"""What a client may say: the session request and the commands of docs/api.md, validated."""

import json
from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from gaze.base.problems import ProblemError, first_error

Finite = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
Size = Annotated[float, Field(allow_inf_nan=False, gt=0, le=1e6)]
Position = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1e7)]
ScreenPoint = tuple[Finite, Finite]
EffectSpecs = Annotated[list[dict[str, Any]], Field(max_length=16)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tracks(Strict):
    """Roles to the offer's mids."""

    camera: str | None = None
    film: str
    audio: str | None = None


class Resume(Strict):
    id: str
    token: str


class SessionRequest(Strict):
    """The body of `POST /api/sessions`."""

    sdp: str
    type: Literal["offer"]
    tracks: Tracks
    media: str | None = None
    position: Position = 0.0
    effects: EffectSpecs = []
    gaze: Literal["camera", "pointer"] = "camera"
    calibration: dict[str, Any] | None = None
    resume: Resume | None = None


class Effects(Strict):
    type: Literal["effects"]
    effects: EffectSpecs


class LayoutMessage(Strict):
    type: Literal["layout"]
    screen: tuple[Size, Size]
    viewport: tuple[Finite, Finite, Size, Size]
    picture: tuple[Finite, Finite, Size, Size]
    exact: bool
    diagonal_mm: Annotated[float, Field(gt=50, lt=10_000)] | None = None


class Calibrate(Strict):
    type: Literal["calibrate"]
    action: Literal["start", "point", "follow", "skip", "repeat", "validate", "finish", "cancel"]
    target: ScreenPoint | None = None
    t: Finite | None = None


class Pointer(Strict):
    type: Literal["pointer"]
    screen: ScreenPoint | None = None
    shown: ScreenPoint | None = None
    click: bool = False
    t: Annotated[float, Field(allow_inf_nan=False)] | None = None


class PlaybackCommand(Strict):
    type: Literal["playback"]
    paused: bool | None = None
    seek: Position | None = None
    loop: bool | None = None


class Media(Strict):
    type: Literal["media"]
    name: str


class Ping(Strict):
    type: Literal["ping"]
    id: str | int
    t: Annotated[float, Field(allow_inf_nan=False)]


Command = Effects | LayoutMessage | Calibrate | Pointer | PlaybackCommand | Media | Ping
_COMMANDS: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="type")])
_TYPES = ("effects", "layout", "calibrate", "pointer", "playback", "media", "ping")


def _load_object(text: str | bytes) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"not JSON: {error}") from None
    if not isinstance(body, dict):
        raise ProblemError(HTTPStatus.BAD_REQUEST, "the body must be one JSON object")
    return body


def parse_request(text: str | bytes) -> SessionRequest:
    """The session request in a body.

    Raises:
        ProblemError: 400 where it is not JSON or not an offer, 422 where a field is wrong.
    """
    body = _load_object(text)
    if body.get("type") != "offer" or not isinstance(body.get("sdp"), str):
        field = "sdp" if body.get("type") == "offer" else "type"
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            'not an offer: "type" must be "offer" and "sdp" a session description',
            field=field,
        )
    try:
        return SessionRequest.model_validate(body)
    except ValidationError as error:
        field, detail = first_error(error)
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, field=field) from None


def parse_command(text: str | bytes, limit_bytes: int) -> Command:
    """One message of the data channel or the WebSocket.

    Raises:
        ProblemError: 413 over `limit_bytes`, 400 not JSON, 422 unknown type or out of range.
    """
    size_bytes = len(text) if isinstance(text, bytes) else len(text.encode())
    if size_bytes > limit_bytes:
        raise ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the message has {size_bytes} bytes; at most {limit_bytes} are allowed",
        )
    body = _load_object(text)
    if body.get("type") not in _TYPES:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"type: unknown; known are {', '.join(_TYPES)}",
            field="type",
        )
    try:
        return _COMMANDS.validate_python(body)
    except ValidationError as error:
        field, detail = first_error(error, drop=1)
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, field=field) from None
