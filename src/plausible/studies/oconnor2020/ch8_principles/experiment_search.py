"""Section E.2: settings of the schemes, sought by a Gaussian process and drawn uniformly.

The author used scikit-optimize with three random starts and 500 calls; here it is optuna's sampler,
whose trials are as many. Every trial has a new random network.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from plausible.networks.binary_equilibrium import Coding
from plausible.neurons.step_sizes import Adaptive, Schedule
from plausible.reproduction.shards import part_of, stored
from plausible.studies.oconnor2020.ch8_principles.networks import generator, objective, problem
from plausible.studies.oconnor2020.ch8_principles.settings import Search

SEARCHES = {
    "scheduled": ("epsilon0", "eta_epsilon", "lambda0", "eta_lambda"),
    "osa": ("nu_bar",),
    "osa_lambda": ("nu_bar", "lambda0"),
    "osa_scheduled_lambda": ("nu_bar", "lambda0", "eta_lambda"),
}
"""What is sought: every parameter between 0 and 1, nu_bar on a logarithmic axis from 0.001."""
LEAST = {"nu_bar": 1e-3, "lambda0": 1e-3}
"""Ends of the ranges; 0 itself is none of lambda."""
PARAMETERS = ("epsilon0", "eta_epsilon", "nu_bar", "lambda0", "eta_lambda")


class Task(NamedTuple):
    """One search, by a sampler and a seed."""

    search: str
    sampler: str
    seed: int

    @property
    def name(self) -> str:
        """Name of its finished trials, ``osa.gaussian_process.0``."""
        return ".".join(map(str, self))


def tasks(settings: Search, seeds: Sequence[int]) -> list[tuple[Task, float]]:
    """Every search with its number of trials; Gaussian processes with the first seed alone."""
    found = []
    for search in SEARCHES:
        found.append((Task(search, "gaussian_process", seeds[0]), 2.0 * settings.calls))
        found += [(Task(search, "uniform", seed), float(settings.uniform)) for seed in seeds]
    return found


def search(settings: Search, seeds, dataset, networks) -> pd.DataFrame:
    """Figure E.1: every trial of every search; one shard of them.

    Columns: search, sampler (gaussian_process, uniform), seed, trial (from 0), the parameters that
    the search has, error (mean of the errors before the perturbation and after the last step).
    """
    listed = tasks(settings, seeds)
    rows: list[dict[str, Any]] = []
    for task in part_of([task for task, _ in listed], [cost for _, cost in listed], settings):
        for trial, (chosen, error) in enumerate(_trials(task, settings)):
            rows.append({**task._asdict(), "trial": trial, **chosen, "error": error})
    columns = ["search", "sampler", "seed", "trial", *PARAMETERS, "error"]
    return pd.DataFrame(rows).reindex(columns=columns)


def _trials(task: Task, settings: Search) -> list[tuple[dict[str, float], float]]:
    """Parameters and error of every trial."""
    if task.sampler == "uniform":
        rng, found = generator("search", *task), []
        for trial in range(settings.uniform):
            chosen = {name: _drawn(name, rng) for name in SEARCHES[task.search]}
            found.append((chosen, _error(task, trial, chosen, settings)))
        return found
    return _gaussian_process(task, settings)


def _drawn(name: str, rng: np.random.Generator) -> float:
    low, share = LEAST.get(name, 0.0), rng.random()
    return float(low ** (1.0 - share)) if name == "nu_bar" else float(low + (1.0 - low) * share)


def _gaussian_process(task: Task, settings: Search) -> list[tuple[dict[str, float], float]]:
    # Its import takes a third of a second, and that of torch behind it more.
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    seed = int(generator("search", *task).integers(2**31))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.GPSampler(seed=seed, n_startup_trials=settings.startup)
    study, found = optuna.create_study(sampler=sampler), []
    for number in range(settings.calls):
        trial = study.ask()
        chosen = {
            name: trial.suggest_float(name, LEAST.get(name, 0.0), 1.0, log=name == "nu_bar")
            for name in SEARCHES[task.search]
        }
        error = _error(task, number, chosen, settings)
        # Errors span decades; a process of equal noise fits their logarithm.
        study.tell(trial, float(np.log10(error)))
        found.append((chosen, error))
    return found


def _error(task: Task, trial: int, chosen: Mapping[str, float], settings: Search) -> float:
    """Mean error on a new network, kept for a job that goes on after it was killed."""

    def compute() -> float:
        given = problem(settings, settings.steps, "search", *task, trial)
        coding = coding_of(chosen, settings.constant)
        return objective(given, coding, settings.perturbation, settings.steps, settings.beta)

    return stored(settings.checkpoints, f"{task.name}.{trial}", compute)


def coding_of(chosen: Mapping[str, float], constant: float) -> Coding:
    """Coding that the parameters of a trial stand for."""
    step = (
        Adaptive(chosen["nu_bar"], constant)
        if "nu_bar" in chosen
        else Schedule(chosen["epsilon0"], chosen["eta_epsilon"])
    )
    return Coding(step, Schedule(chosen.get("lambda0", 1.0), chosen.get("eta_lambda", 0.0)))
