"""Study files: what is run, in which protocols, scales and seeds, and what comes out of it.

A study file (``workflow/studies/<document>/<part>.yaml``) is data. This module checks what it
names, merges settings and answers the questions that the rules ask: which jobs are there, with
which settings, and which files feed which result. It imports neither torch nor pandas, because
Snakemake reads it each time it starts.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from plausible.config import nearest, project_path
from plausible.errors import StudyError
from plausible.learning.settings import TrainingSettings
from plausible.reproduction.parts import Place, file_of, place
from plausible.reproduction.settings import ExperimentSettings, model_name
from plausible.reproduction.study_checks import (
    STAGES,
    check_data_sets,
    check_options,
    check_published,
    check_references,
    where_overridden,
)
from plausible.reproduction.study_files import THEOREMS, read_study_files
from plausible.reproduction.study_models import SpikingSimulation
from plausible.settings import read_settings


class Job(NamedTuple):
    """One training job: a run in one protocol for the seeds of one shard."""

    run: str
    protocol: str
    shard: str


class Study(NamedTuple):
    """A study file at one scale, with the user's configuration applied."""

    name: str
    scale: str
    declaration: Mapping[str, Any]
    config: Mapping[str, Any]
    part_of: Mapping[tuple[str, str], str]
    """Part in which a name of a section is declared, by section and name."""

    @property
    def title(self) -> str:
        """Title of the study."""
        return self.declaration["title"]

    @property
    def folder(self) -> str:
        """Folder of the study's outputs."""
        return f"results/{self.scale}/{self.name}"

    @property
    def dataset(self) -> str:
        """Name of the data set at this scale."""
        return self.config["data"]["dataset"] or self.declaration["scales"][self.scale]["dataset"]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds at this scale."""
        return tuple(self.config["seeds"] or self.declaration["scales"][self.scale]["seeds"])

    def as_declared(self) -> bool:
        """Whether this is the paper scale on its own data set, with no setting changed by the user.

        Only then can numbers be compared with the published ones; further or fewer seeds may.
        """
        declared = self.declaration["scales"]["paper"]["dataset"]
        return self.scale == "paper" and self.dataset == declared and not self.config["overrides"]

    @property
    def parts(self) -> tuple[str, ...]:
        """Parts of the study, in the order of its report."""
        return tuple(self.declaration["parts"])

    @property
    def notebooks(self) -> list[str]:
        """Parts of the notebook that is the study's report, in their order."""
        names = ("study", *self.parts, "closing")
        folder = project_path("workflow", "notebooks", self.name)
        return [f"{folder}/{name}.md" for name in names]

    @property
    def pages(self) -> dict[str, str]:
        """Pages of the report by the part that they show; the overview under the empty name."""
        folder = f"reports/{self.scale}"
        return {part: f"{folder}/{page_name(self.name, part)}" for part in ("", *self.parts)}

    @property
    def terms(self) -> dict[str, str]:
        """Meanings of the protocols, of their variants, and of the document's abbreviations."""
        named = {}
        for name, protocol in self.declaration["protocols"].items():
            shown = name.replace("_", " ")
            named[shown] = " ".join(protocol["what"].split())
            for variant, deviation in protocol.get("variants", {}).items():
                named[variant] = f"{shown}, but: {' '.join(deviation['what'].split())}"
        return {**named, **self.declaration.get("glossary", {})}

    @property
    def results(self) -> Mapping[str, Any]:
        """Results of the study by their name (the part after the first dot of their id)."""
        return self.declaration["results"]

    def scale_value(self, key: str, default: Any = None) -> Any:
        """Value of ``key`` in the declaration of this scale."""
        return self.declaration["scales"][self.scale].get(key, default)

    def protocols(self, run: str) -> tuple[str, ...]:
        """Protocols in which a training run exists."""
        declared = self.declaration["train"][run].get("only_protocols")
        return tuple(declared or self.declaration["protocols"])

    def run_seeds(self, run: str) -> tuple[int, ...]:
        """Seeds of a training run: those of the scale, or the first ``only_seeds`` of them."""
        count = self.declaration["train"][run].get("only_seeds")
        return self.seeds if count is None else self.seeds[:count]

    def shards(self, run: str) -> tuple[str, ...]:
        """Shards of a run's seeds: a job trains the seeds of one shard, e.g. ``0-1-2``."""
        seeds = self.run_seeds(run)
        size = self.config["seeds_per_job"] or self.scale_value("seeds_per_job", 1)
        return tuple(
            "-".join(map(str, seeds[start : start + size])) for start in range(0, len(seeds), size)
        )

    def jobs(self, runs: Iterable[str]) -> list[Job]:
        """Training jobs of ``runs``."""
        return [
            Job(run, protocol, shard)
            for run in runs
            for protocol in self.protocols(run)
            for shard in self.shards(run)
        ]

    def seed_group(self, run: str) -> str:
        """Name under which a run's random streams are drawn; runs of one group share them."""
        return self.declaration["train"][run].get("seed_group", run)

    def training_settings(self, run: str, protocol: str) -> dict[str, Any]:
        """Settings of a training run in a protocol, in the order of merging of the study file."""
        declared = self.declaration["train"][run]
        return self._with_user(
            run,
            {"dataset": self.dataset},
            self.declaration["settings"],
            self.scale_value("settings", {}),
            self.declaration["protocols"][protocol].get("training", {}),
            declared.get("settings", {}),
            self._variant(run, protocol).get("training", {}),
            declared.get("protocols", {}).get(protocol, {}),
            declared.get("scales", {}).get(self.scale, {}),
        )

    def protocol_simulation(self, protocol: str) -> dict[str, Any]:
        """Spiking-simulation settings of a protocol."""
        return {
            **self.declaration["simulation"],
            **self.declaration["protocols"][protocol].get("simulation", {}),
        }

    def _variant(self, run: str, protocol: str) -> Mapping[str, Any]:
        """Variant of a protocol that a run follows, or an empty one."""
        name = self.declaration["train"][run].get("variants", {}).get(protocol)
        return self.declaration["protocols"][protocol]["variants"][name] if name else {}

    def simulation_settings(self, simulation: str, run: str, protocol: str) -> dict[str, Any]:
        """Settings of the spiking simulation of a converted network in a protocol."""
        declared = self.declaration["simulate"][simulation]
        trained = self.training_settings(run, protocol)
        return self._with_user(
            simulation,
            # The network's own rate function: the accuracy with analytic rates stands beside.
            {key: trained[key] for key in ("softplus_gamma", "rate_offset") if key in trained},
            self.protocol_simulation(protocol),
            declared.get("settings", {}),
            self._variant(run, protocol).get("simulation", {}),
            declared.get("scales", {}).get(self.scale, {}),
        )

    def simulation_jobs(self, simulation: str) -> list[Job]:
        """Jobs of a spiking simulation: one for each trained and converted network."""
        return self.jobs(self.declaration["simulate"][simulation]["networks"])

    def sweep_parts(self, sweep: str) -> tuple[str, ...]:
        """Ends of the names of a sweep's jobs: ``.0``, ``.1``, ...; the empty one if undivided."""
        count = self.declaration["sweep"][sweep].get("shards", {}).get(self.scale)
        return ("",) if count is None else tuple(f".{shard}" for shard in range(count))

    def experiment(self, sweep: str) -> Place | None:
        """Function that a sweep runs; None for the sweep of a part's theorems."""
        part = self.part_of["sweep", sweep]
        if sweep == f"{THEOREMS}_{part}":
            return None
        name = self.declaration["sweep"][sweep].get("experiment", sweep)
        return place(self.name, part, "experiment", name, f"sweep.{sweep}.experiment")

    def theorems(self, part: str) -> dict[str, Place]:
        """Functions that measure the theorems of a part, by the names of their results."""
        return {
            result: place(
                self.name, part, THEOREMS, declared["theorem"], f"results.{result}.theorem"
            )
            for result, declared in self.results.items()
            if "theorem" in declared and self.part_of["results", result] == part
        }

    def function(self, result: str, key: str) -> Place | None:
        """Function of a result's part for ``table``, ``markdown`` or ``figure``, if it has one."""
        name = self.results[result].get(key)
        if name is None:
            return None
        part = self.part_of["results", result]
        kind = "figures" if key == "figure" else "tables"
        return place(self.name, part, kind, name, f"results.{result}.{key}")

    def sweep_settings(self, sweep: str, part: str = "") -> dict[str, Any]:
        """Checked settings of a sweep at this scale, with what the workflow adds for one job.

        That is the device, the protocols' simulations of its networks and, of a divided sweep
        (`sweep_parts`), the number of the job ``part`` and of all its jobs.
        """
        declared = self.declaration["sweep"][sweep]
        settings = self._with_user(
            sweep, declared.get("settings", {}), declared.get("scales", {}).get(self.scale, {})
        )
        for name in ExperimentSettings.given:
            if name in settings:
                raise StudyError(f"sweep.{sweep}.{name} is no setting: the workflow fills it in.")
        given: dict[str, Any] = {"device": self.sweep_device(sweep)}
        if networks := self.sweep_networks(sweep):
            given["simulation"] = {
                f"{job.run}.{job.protocol}": {
                    **self.protocol_simulation(job.protocol),
                    **self._variant(job.run, job.protocol).get("simulation", {}),
                }
                for job in networks
            }
        if self.sweep_model(sweep).uses_originals:
            named = self.config["data"].get("originals", {})
            given["originals"] = {name: place for name, place in named.items() if place}
        if part:
            given |= {"shard": int(part[1:]), "shards": len(self.sweep_parts(sweep))}
        return {**settings, **given}

    def sweep_device(self, sweep: str) -> str:
        """Device of a sweep: that of the configuration, if its experiment runs on it."""
        model = self.sweep_model(sweep)
        return self.config["device"] if model.uses_device else "cpu"

    def sweep_model(self, sweep: str) -> type[ExperimentSettings]:
        """Type of a sweep's settings."""
        found = self.experiment(sweep)
        part = self.part_of["sweep", sweep]
        return settings_model(self.name, part, found.function if found else THEOREMS)

    def sweep_networks(self, sweep: str) -> list[Job]:
        """Converted networks that a sweep needs."""
        declared = self.declaration["sweep"][sweep]
        wanted = set(declared.get("protocols") or self.declaration["protocols"])
        return [job for job in self.jobs(declared.get("networks", ())) if job.protocol in wanted]

    def sweep_dataset(self, sweep: str) -> str | None:
        """Name of the data set that a sweep is given, or None if it needs none.

        ``data_set: true`` is the study's own; a mapping names another one for each scale.
        """
        wanted = self.declaration["sweep"][sweep].get("data_set", False)
        if isinstance(wanted, Mapping):
            return wanted[self.scale]
        return self.dataset if wanted else None

    def sweep_seeds(self, sweep: str) -> tuple[int, ...]:
        """Seeds of a sweep: those of the scale, or the first ``only_seeds`` of them."""
        count = self.declaration["sweep"][sweep].get("only_seeds")
        return self.seeds if count is None else self.seeds[:count]

    def _with_user(self, name: str, *layers: Mapping[str, Any]) -> dict[str, Any]:
        """Merge layers of settings and the user's ``overrides`` for this run on top."""
        merged: dict[str, Any] = {}
        for layer in layers:
            merged.update(layer)
        overrides = self.config["overrides"]
        for target in ("*", name):
            for key, value in overrides.get(target, {}).items():
                if key in merged:
                    merged[key] = value
                elif target == name:
                    raise StudyError(
                        f"config.yaml: overrides.{name}.{key} is not a setting of {name}"
                        f"{nearest(key, merged)}; allowed are {', '.join(sorted(merged))}."
                    )
        return merged

    def shown_in(self, result: str) -> str | None:
        """Result whose table holds this result's numbers, if it has none of its own."""
        declared = self.results[result]
        return THEOREMS if "theorem" in declared else declared.get("data")

    def result_inputs(self, result: str) -> dict[str, list[str]]:
        """Files from which the tidy table of a result is made, by their source."""
        sources = self.results[result].get("from", {})
        files: dict[str, list[str]] = {}
        if runs := sources.get("train"):
            files["train"] = [self.file("train", job, "csv") for job in self.jobs(runs)]
        for simulation in sources.get("simulate", ()):
            files[f"simulate.{simulation}"] = [
                self.simulation_file(simulation, job) for job in self.simulation_jobs(simulation)
            ]
        for sweep in sources.get("sweep", ()):
            files[f"sweep.{sweep}"] = self.sweep_files(sweep)
        return files

    def file(self, stage: str, job: Job, suffix: str) -> str:
        """Path of an output of a training or conversion job."""
        return f"{self.folder}/{stage}/{job.run}.{job.protocol}.{job.shard}.{suffix}"

    def simulation_file(self, simulation: str, job: Job) -> str:
        """Path of the table of a spiking simulation."""
        return f"{self.folder}/simulate/{simulation}.{job.run}.{job.protocol}.{job.shard}.csv"

    def sweep_files(self, sweep: str) -> list[str]:
        """Paths of the tables of a sweep, one for each of its jobs."""
        return [f"{self.folder}/sweep/{sweep}{part}.csv" for part in self.sweep_parts(sweep)]

    def result_files(self, result: str) -> list[str]:
        """Files that a result consists of: tidy table, picture, readable table."""
        declared = self.results[result]
        if same := self.shown_in(result):
            files = [] if declared.get("figure") else [f"{self.folder}/{same}.csv"]
        else:
            files = [f"{self.folder}/{result}.csv"]
        if declared.get("figure"):
            files += [f"{self.folder}/{result}.{suffix}" for suffix in ("svg", "png")]
        if declared.get("markdown"):
            files.append(f"{self.folder}/{result}.md")
        return files

    def groups(self) -> dict[str, list[str]]:
        """Results by short target of a part, ``oconnor2020_ch5_coding``, and of parts together.

        What the names of parts have in common before the first underscore is a target too,
        ``oconnor2020_ch5``. The name of a result is that of the result alone.
        """
        names = [*self.parts, *dict.fromkeys(part.partition("_")[0] for part in self.parts)]
        taken = {short_name(self.name, result) for result in self.results}
        found: dict[str, list[str]] = {}
        for name in dict.fromkeys(names):
            if (target := short_name(self.name, name)) not in taken:
                members = [part for part in self.parts if f"{part}_".startswith(f"{name}_")]
                found[target] = [
                    result
                    for result in self.results
                    if self.part_of.get(("results", result)) in members
                ]
        return found

    def data_of(self, result: str) -> str:
        """Path of the tidy table that holds a result's data."""
        return f"{self.folder}/{self.shown_in(result) or result}.csv"

    def own_tables(self) -> list[str]:
        """Results with a tidy table of their own."""
        return [name for name in self.results if self.shown_in(name) is None]

    def figures(self) -> list[str]:
        """Results with a picture."""
        return [name for name, declared in self.results.items() if declared.get("figure")]

    def markdowns(self) -> list[str]:
        """Results with a readable table."""
        return [name for name, declared in self.results.items() if declared.get("markdown")]


def short_name(study: str, result: str) -> str:
    """Short target of a result: dots become underscores, ``thuesen2022_fig2a``."""
    return f"{study}.{result}".replace(".", "_")


def page_name(study: str, part: str = "") -> str:
    """File of a page of a study's report: of a part, or the overview."""
    return f"{study}.{part}.html" if part else f"{study}.html"


def load_study(folder: str | Path, config: Mapping[str, Any]) -> Study:
    """Read, check and resolve the files of a study, ``workflow/studies/<study>``.

    Raises
    ------
    StudyError
        If a file is not valid YAML or has another form, names a run, sweep, protocol, result or
        function that is not there, or if a setting has a value that its meaning does not allow.
    """
    folder = Path(folder)
    declaration, part_of = read_study_files(folder)
    check_references(folder, declaration)
    check_published(folder, declaration)
    check_data_sets(folder, declaration, config["data"]["sets"])
    scale = config["scale"]
    if scale not in declaration["scales"]:
        raise StudyError(
            f"{folder}: scale {scale!r} is not declared; declared are "
            f"{', '.join(declaration['scales'])}."
        )
    study = Study(folder.name, scale, declaration, config, part_of)
    if declaration["study"] != study.name:
        raise StudyError(
            f"{folder}/study.yaml: study: found {declaration['study']!r}, where the name of the "
            f"folder, {study.name!r}, is expected."
        )
    try:
        for run in declaration["train"]:
            for protocol in study.protocols(run):
                place = f"train.{run} ({protocol})"
                read_settings(TrainingSettings, study.training_settings(run, protocol), place)
        for simulation in declaration["simulate"]:
            for run, protocol, _ in study.simulation_jobs(simulation):
                place = f"simulate.{simulation} ({run}, {protocol})"
                values = study.simulation_settings(simulation, run, protocol)
                read_settings(SpikingSimulation, values, place)
        for part in study.parts:
            study.theorems(part)
        for sweep, declared in declaration["sweep"].items():
            settings = read_sweep_settings(study, sweep)
            if declared.get("shards") and not settings.divided:
                raise StudyError(
                    f"sweep.{sweep}.shards: the experiment cannot be divided, so every job would "
                    "do all of it; remove the key."
                )
        for result in study.results:
            for key in ("table", "markdown", "figure"):
                study.function(result, key)
            check_options(study, result)
    except StudyError as error:
        raise StudyError(f"{folder}: {error}{where_overridden(str(error), config)}") from None
    return study


def read_sweep_settings(study: Study, sweep: str, part: str = "") -> ExperimentSettings:
    """Settings of a sweep as a record of its experiment's own type."""
    values = study.sweep_settings(sweep, part)
    return read_settings(study.sweep_model(sweep), values, f"sweep.{sweep}")


@cache
def settings_model(document: str, part: str, experiment: str) -> type[ExperimentSettings]:
    """Type of an experiment's settings: the class of its name in the part's ``settings.py``.

    Theorems that need no settings may do without a class.
    """
    name = model_name(experiment)
    file = file_of(document, part, "settings.py")
    module = (
        import_module(f"plausible.studies.{document}.{part}.settings") if file.is_file() else None
    )
    model = getattr(module, name, None)
    if model is None and experiment == THEOREMS:
        return ExperimentSettings
    if model is None:
        known = vars(module) if module else ()
        raise StudyError(
            f"the settings of the experiment {experiment} have no type; add the class {name} to "
            f"plausible/studies/{document}/{part}/settings.py{nearest(name, known)}."
        )
    return model


def load_studies(folder: str | Path, config: Mapping[str, Any]) -> dict[str, Study]:
    """Every study that the configuration names, by its name.

    Raises
    ------
    StudyError
        As `load_study`, and if the user's overrides name a run that no study has.
    """
    studies = {name: load_study(Path(folder) / name, config) for name in config["studies"]}
    known = {"*"}
    for study in studies.values():
        known.update(*(study.declaration[stage] for stage in STAGES))
    for target in config["overrides"]:
        if target not in known:
            raise StudyError(
                f"config.yaml: overrides.{target} names no run{nearest(target, known)}; known are "
                f"{', '.join(sorted(known))}."
            )
    known = set().union(*map(_setting_names, studies.values()))
    for name in config["overrides"].get("*", {}):
        if name not in known:
            raise StudyError(
                f"config.yaml: overrides.* names {name!r}, which is a setting of nothing that is "
                f"run{nearest(name, known)}; known are {', '.join(sorted(known))}."
            )
    return studies


def _setting_names(study: Study) -> set[str]:
    """Names of the settings of everything that a study runs."""
    found = set(TrainingSettings.model_fields) if study.declaration["train"] else set()
    for name, declared in study.declaration["simulate"].items():
        for job in study.jobs(declared["networks"]):
            found.update(study.simulation_settings(name, job.run, job.protocol))
    for sweep in study.declaration["sweep"]:
        found.update(study.sweep_settings(sweep))
    return found - set(ExperimentSettings.given)
