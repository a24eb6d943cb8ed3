"""What an effect can be set to: checked parameters, and bindings of numbers to signals of the eyes.

An effect declares its parameters as a pydantic model:

    class TintParameters(Parameters):
        strength: Annotated[float, Number(0, 1, unit="share", description="How much")] = 0.5

To the effect such a field is a plain float. On the wire it may be a number from 0 to 1 or a
binding as in docs/api.md ("A parameter that follows the eyes").

In the JSON Schema every property carries `title`, `description` and `default` at its top level.
A bindable number also has `minimum`, `maximum`, `unit` and `bindable: true` there, and an `anyOf`
of the plain number and a reference to the binding, so a page can make a slider from the top level
while a validator accepts both. Choices carry `enum`, switches `"type": "boolean"`. Docstrings of
parameter models are for programmers and do not get into the schema.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Strict,
    ValidationError,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from gaze.effects.motion.time_step import low_pass_gain
from gaze.effects.state import HOLD_S, SIGNALS

RETURN_S: Final = 0.5
"""Shortest time constant with which a parameter returns to its default once its signal has been
unknown for `HOLD_S`; a shorter one is seen as a jump. Chosen by hand; no benchmark covers it."""


class EffectError(ValueError):
    """A chain of effects that is not valid.

    Attributes
    ----------
    field : str
        Where, as `effects[0].strength`.
    message : str
        What would be right there.
    """

    def __init__(self, field: str, message: str) -> None:
        """Make the error.

        Parameters
        ----------
        field : str
            Where, as `effects[0].strength`.
        message : str
            What would be right there.
        """
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


def _known_signal(name: str) -> str:
    if name not in SIGNALS:
        known = ", ".join(SIGNALS)
        raise PydanticCustomError("signal", "should be one of {known}", {"known": known})
    return name


Range = Annotated[tuple[float, float], Strict(False)]


class Binding(BaseModel):
    """A number that follows a signal of the eyes; outside `from` it stays at the ends of `to`."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)

    follow: Annotated[str, AfterValidator(_known_signal)] = Field(
        description="The signal to follow",
        json_schema_extra={"enum": list(SIGNALS), "enumDescriptions": list(SIGNALS.values())},
    )
    from_: Range = Field(alias="from", description="The signal at the two ends of its range")
    to: Range = Field(description="The parameter at these two ends")
    smooth: float = Field(
        default=0.2,
        ge=0,
        le=60,
        description="Time constant of the smoothing",
        json_schema_extra={"unit": "s"},
    )

    @model_validator(mode="after")
    def _two_ends(self) -> "Binding":
        if self.from_[0] == self.from_[1]:
            raise PydanticCustomError("from", "`from` should be two different numbers")
        return self

    def target(self, signal: float) -> float:
        """Map a signal linearly to the parameter.

        Parameters
        ----------
        signal : float
            The signal in its own unit.

        Returns
        -------
        float
            Between the ends of `to`.
        """
        fraction = (signal - self.from_[0]) / (self.from_[1] - self.from_[0])
        return self.to[0] + min(1.0, max(0.0, fraction)) * (self.to[1] - self.to[0])


@dataclass(frozen=True, slots=True)
class Number:
    """Annotates a float parameter: its range and unit, and that it may be bound to a signal.

    Attributes
    ----------
    minimum, maximum : float
        Its range, both included.
    unit : str
        Its unit, for people.
    title, description : str
        For people.
    """

    minimum: float
    maximum: float
    unit: str
    title: str
    description: str

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Return pydantic's schema: a number in the range, or a binding within it."""
        plain = core_schema.custom_error_schema(
            core_schema.float_schema(
                ge=self.minimum, le=self.maximum, strict=True, allow_inf_nan=False
            ),
            custom_error_type="number",
            custom_error_message="should be a number from {minimum} to {maximum}, or a binding",
            custom_error_context={"minimum": self.minimum, "maximum": self.maximum},
        )
        bound = core_schema.no_info_after_validator_function(
            self._check_ends, handler.generate_schema(Binding)
        )
        return core_schema.tagged_union_schema(
            {"number": plain, "binding": bound},
            lambda value: "binding" if isinstance(value, Mapping | Binding) else "number",
        )

    def _check_ends(self, binding: Binding) -> Binding:
        if not all(self.minimum <= end <= self.maximum for end in binding.to):
            raise PydanticCustomError(
                "to",
                "`to` should stay between {minimum} and {maximum}",
                {"minimum": self.minimum, "maximum": self.maximum},
            )
        return binding

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the JSON Schema that the module's docstring describes."""
        _, binding = handler(schema)["oneOf"]
        limits = {"minimum": self.minimum, "maximum": self.maximum}
        return {
            "title": self.title,
            "description": self.description,
            "unit": self.unit,
            **limits,
            "bindable": True,
            "anyOf": [{"type": "number", **limits}, binding],
        }


def _without_docstring(schema: dict[str, Any]) -> None:
    schema.pop("description", None)


class Parameters(BaseModel):
    """Base of every effect's parameter model: strict, and without unknown fields."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        frozen=True,
        validate_default=True,
        json_schema_extra=_without_docstring,
    )


def parse(model: type[Parameters], values: Mapping[str, Any], where: str) -> Parameters:
    """Check the parameters that a person sent.

    Parameters
    ----------
    model : type of Parameters
        The effect's parameter model.
    values : mapping
        What was sent, without the effect's name.
    where : str
        The field that holds them, as `effects[0]`.

    Returns
    -------
    gaze.effects.parameters.Parameters
        The parameters, with defaults filled in.

    Raises
    ------
    EffectError
        For the first field that is wrong.
    """
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    path = [part for part in first["loc"] if part not in ("number", "binding")]
    field = where + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)
    if first["type"] == "extra_forbidden" and len(path) == 1:
        known = ", ".join(model.model_fields) or "none"
        raise EffectError(field, f"unknown parameter; there are: {known}")
    given = first["input"]
    message = "is missing" if first["type"] == "missing" else first["msg"].removeprefix("Input ")
    shown = f", not {given!r}" if isinstance(given, str | int | float | bool | None) else ""
    raise EffectError(field, message + shown)


class Follower:
    """The current value of one number parameter: fixed, or following its binding over time.

    Attributes
    ----------
    value : float
        The current value.
    """

    def __init__(self, default: float) -> None:
        """Begin at the default.

        Parameters
        ----------
        default : float
            The parameter's default.
        """
        self.value = default
        self._default = default
        self._stepped_s: float | None = None
        self._known_s: float | None = None

    def step(
        self, setting: float | Binding, signals: Mapping[str, float | None], t_s: float
    ) -> float:
        """Bring the value up to a time.

        A binding is followed by a first-order low-pass filter with its `smooth` as the time
        constant and the true time step. Once its signal is unknown the value is held for `HOLD_S`
        and then returns to the parameter's default.

        Parameters
        ----------
        setting : float or Binding
            What the parameter is set to.
        signals : mapping of str to float or None
            The signals now.
        t_s : float
            Now, on the monotonic clock. A time before the last one changes nothing.

        Returns
        -------
        float
            The current value.
        """
        step_s = 0.0 if self._stepped_s is None else max(0.0, t_s - self._stepped_s)
        self._stepped_s = t_s if self._stepped_s is None else max(t_s, self._stepped_s)
        if not isinstance(setting, Binding):
            self.value, self._known_s = setting, None
            return self.value
        signal = signals.get(setting.follow)
        if signal is not None and math.isfinite(signal):
            self._known_s = t_s
            self._approach(setting.target(signal), step_s, setting.smooth)
        elif self._known_s is not None and t_s - self._known_s > HOLD_S:
            returning_s = min(step_s, t_s - self._known_s - HOLD_S)
            self._approach(self._default, returning_s, max(setting.smooth, RETURN_S))
        return self.value

    def _approach(self, target: float, step_s: float, smooth_s: float) -> None:
        if smooth_s == 0:
            self.value = target
        else:
            self.value += (target - self.value) * low_pass_gain(step_s, smooth_s)
