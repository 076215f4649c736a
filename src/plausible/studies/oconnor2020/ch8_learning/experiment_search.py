"""Section E.3: settings of binary networks sought by the error after one epoch, figure E.2.

The author's searches take the official test images for validation, one fixed seed for all trials.
The best settings of each search are trained again with every seed.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from plausible.data.dataset import Dataset
from plausible.learning.binary_propagation import BinaryRecipe
from plausible.learning.equilibrium_training import TrainingSchedule, fresh_networks, train
from plausible.networks.binary_equilibrium import Coding
from plausible.neurons.step_sizes import Adaptive, Schedule
from plausible.reproduction.shards import stored
from plausible.studies.oconnor2020.ch8_learning.experiment import (
    Data,
    generator,
    prepared,
    sizes_of,
)
from plausible.studies.oconnor2020.ch8_learning.settings import MnistSearch

SEARCHES = {
    "scheduled": ("epsilon0", "eta_epsilon", "lambda0", "eta_lambda"),
    "osa": ("nu_bar", "lambda0"),
}
"""What is sought: every parameter between 0 and 1, nu_bar on a logarithmic axis from 0.001."""
LEAST = {"nu_bar": 1e-3, "lambda0": 1e-3}
PARAMETERS = ("epsilon0", "eta_epsilon", "nu_bar", "lambda0", "eta_lambda")


def mnist_search(
    settings: MnistSearch, seeds: Sequence[int], dataset: Dataset | None, networks: Any = None
) -> pd.DataFrame:
    """Figure E.2: every trial, and the best settings again with every seed; one shard of them.

    Columns: search, element (trial, again), seed, trial (from 0), the parameters that the search
    has, error (percent of the official test images after the last epoch).
    """
    data = prepared(dataset, "mnist_search")
    rows: list[dict[str, Any]] = []
    for number, name in enumerate(SEARCHES):
        if number % settings.shards != settings.shard:
            continue
        found = _searched(name, settings, data, seeds[0])
        best, _ = min(found, key=lambda each: each[1])
        for trial, (chosen, error) in enumerate(found):
            row = {"search": name, "element": "trial", "seed": seeds[0], "trial": trial}
            rows.append({**row, **chosen, "error": error})
        for seed in seeds:
            error = _error(f"{name}.again.{seed}", best, settings, data, f"again.{seed}")
            rows.append({"search": name, "element": "again", "seed": seed, **best, "error": error})
    columns = ["search", "element", "seed", "trial", *PARAMETERS, "error"]
    return pd.DataFrame(rows).reindex(columns=columns)


def _searched(
    name: str, settings: MnistSearch, data: Data, seed: int
) -> list[tuple[dict[str, float], float]]:
    # Its import takes a third of a second, and that of torch behind it more.
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    draws = int(generator("search", name, seed).integers(2**31))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.GPSampler(seed=draws, n_startup_trials=settings.startup)
    study, found = optuna.create_study(sampler=sampler), []
    for number in range(settings.calls[name]):
        trial = study.ask()
        chosen = {
            each: trial.suggest_float(each, LEAST.get(each, 0.0), 1.0, log=each == "nu_bar")
            for each in SEARCHES[name]
        }
        error = _error(f"{name}.{number}", chosen, settings, data, "search")
        study.tell(trial, float(np.log10(max(error, 0.01))))
        found.append((chosen, error))
    return found


def _error(
    name: str, chosen: Mapping[str, float], settings: MnistSearch, data: Data, seed: str
) -> float:
    """Error after the last epoch, kept for a job that goes on after it was killed."""

    def compute() -> float:
        weights, signs = (generator(purpose, seed) for purpose in ("weights", "signs"))
        made = fresh_networks(sizes_of(settings, False, data), weights, False)
        recipe = BinaryRecipe(
            coding_of(chosen, settings.constant),
            *settings.steps,
            settings.beta,
            settings.learning_rates,
        )
        stops = (float(settings.epochs),)
        schedule = TrainingSchedule(stops, settings.batch, tested_training_images=1)
        tests = {"official": data.tests["official"]}
        return train(made, recipe, schedule, data.train, tests, signs).rows[-1][
            "official_error_percent"
        ]

    return stored(settings.checkpoints, name, compute)


def coding_of(chosen: Mapping[str, float], constant: float) -> Coding:
    """Coding that the parameters of a trial stand for."""
    step = (
        Adaptive(chosen["nu_bar"], constant)
        if "nu_bar" in chosen
        else Schedule(chosen["epsilon0"], chosen["eta_epsilon"])
    )
    return Coding(step, Schedule(chosen["lambda0"], chosen.get("eta_lambda", 0.0)))
