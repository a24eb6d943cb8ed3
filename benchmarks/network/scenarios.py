"""The conditions of the network benchmark, and the goals of each."""

from dataclasses import dataclass

from benchmarks.report import Goal
from simulation.network.emulator import Conditions


@dataclass(frozen=True, slots=True)
class Scenario:
    """Conditions one after another, each for `--seconds`.

    Attributes
    ----------
    phases : tuple of Conditions
        Of both directions of the link.
    goals : dict of str to Goal
        Of a hosted film, by figure.
    """

    phases: tuple[Conditions, ...]
    goals: dict[str, Goal]


def _near(*, loss: float = 0.0, rate_bps: float | None = None) -> Conditions:
    return Conditions(delay_s=0.02, loss=loss, rate_bps=rate_bps)


SCENARIOS = {
    "clean": Scenario((_near(),), {}),
    "loss_1": Scenario((_near(loss=0.01),), {}),
    "loss_5": Scenario((_near(loss=0.05),), {"freezes": Goal(most=0)}),
    "loss_10": Scenario((_near(loss=0.1),), {}),
    "delay_50": Scenario((Conditions(delay_s=0.05, jitter_s=0.01),), {}),
    "delay_150": Scenario((Conditions(delay_s=0.15, jitter_s=0.03),), {}),
    "1_mbps": Scenario((_near(rate_bps=1e6),), {"fps": Goal(least=20)}),
    "step": Scenario(
        (_near(rate_bps=5e6), _near(rate_bps=0.7e6), _near(rate_bps=5e6)),
        {"calm_after_down_s": Goal(most=5), "full_size_after_up_s": Goal(most=15)},
    ),
}
