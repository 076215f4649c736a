"""Which networks a sweep of chapter 3 trains, read from its settings.

Snakemake reads this through the checks of the settings, so it imports neither torch nor numba.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from plausible.kernels.deep_spiking_types import Rule, make_rule

SPIKING, RECTIFIED = "spiking", "rectified"
FORMS = (SPIKING, RECTIFIED)
OWN_KEYS = ("form", "steps", "learning_rate", "epochs", "seeds", "protocols", "printed_step")
"""Keys of a network in the settings that are not options of the rule."""


class Spec(NamedTuple):
    """How a network is trained.

    ``form`` is ``spiking`` or ``rectified`` (gradient descent on the vector network); ``options``
    are those of ``make_rule`` for a spiking network.
    """

    form: str
    steps: int
    learning_rate: float
    options: Mapping[str, Any]

    def rule(self) -> Rule:
        """Rule of a spiking network; StudyError if there is none like it."""
        return make_rule(self.steps, self.learning_rate, **self.options)


class Run(NamedTuple):
    """One network to train; ``measured`` in both forms afterwards, if it had all its epochs."""

    protocol: str
    network: str
    seed: int
    spec: Spec
    epochs: int
    measured: bool = True


def runs(settings: Mapping[str, Any], seeds: Sequence[int]) -> list[Run]:
    """All networks of the sweep, in its order. A network's own settings beat those of the protocol.

    A protocol with ``printed_step`` reads equations 3.6 and 3.7 literally: a weight moves by
    eta / T, not by eta / T^2, for each pair of spikes.
    """
    listed = []
    for protocol, shared in settings["protocols"].items():
        for network, own in settings["variants"].items():
            if protocol not in own.get("protocols", [protocol]):
                continue
            chosen = {**settings, **shared, **own}
            steps, rate = chosen["steps"], chosen["learning_rate"]
            if chosen.get("printed_step", False):
                rate *= steps
            options = {
                key: value for key, value in {**shared, **own}.items() if key not in OWN_KEYS
            }
            spec = Spec(chosen.get("form", SPIKING), steps, rate, options)
            number = chosen.get("seeds", len(seeds))
            listed += [Run(protocol, network, s, spec, chosen["epochs"]) for s in seeds[:number]]
    further = settings.get("further_seeds") or {}
    for network in further.get("variants", ()):
        trained = [run for run in listed if run.network == network]
        missing = [seed for seed in seeds if seed not in {run.seed for run in trained}]
        shorter = trained[0]._replace(epochs=further["epochs"], measured=False)
        listed += [shorter._replace(seed=seed) for seed in missing]
    return listed
