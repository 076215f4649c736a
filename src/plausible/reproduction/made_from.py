"""How a result was made: its declaration, code, settings, data, time, and the command that does it.

Links are those of a page in ``reports/<scale>``, two folders below the project.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from plausible.reproduction.declaration import Study, short_name
from plausible.reproduction.pages import Html, piece, table
from plausible.reproduction.parts import Place
from plausible.reproduction.published import Published, result_name
from plausible.reproduction.report_tables import setting_differences, setting_text
from plausible.reproduction.runtimes import minutes_text
from plausible.reproduction.verdicts import claims_of, numbers_name

UP = "../.."
"""The project, seen from a page of a report."""


def how_it_was_made(
    study: Study, published: Published, identifier: str, folder: Path, runtimes: pd.DataFrame
) -> Html:
    """Everything behind an entry but its verdicts, for the fold of its section.

    Parameters
    ----------
    study, published:
        The study at the scale that was run, and what its document published.
    identifier:
        Id of the published entry.
    folder:
        Folder of the study's results.
    runtimes:
        Table of `plausible.reproduction.runtimes.collect`.
    """
    entry = published.original(identifier)
    name = result_name(entry["id"])
    facts: dict[str, Any] = {
        "declared in": _declarations(study, published, identifier),
        "code": piece("paths", _code(study, published, entry)),
    }
    if name in study.results:
        times = runtimes[(runtimes["part"] == "result") & (runtimes["result"] == name)]
        minutes = [minutes_text(row.minutes, row.jobs_without_time) for row in times.itertuples()]
        facts |= {
            "data": piece("paths", _files(study, name, folder)),
            "seeds of its jobs": _seeds(study, name),
            "command": piece("command", _command(study, name)),
            "time": f"{minutes[0]} minutes on one core, for all jobs that it rests on"
            if minutes
            else "",
        }
    settings = _settings(study, name) if name in study.results else ()
    return piece("made_from", facts, Html("").join(settings))


def _declarations(study: Study, published: Published, identifier: str) -> Html:
    part = published.part_of[identifier]
    files = [f"workflow/{kind}/{study.name}/{part}.yaml" for kind in ("published", "studies")]
    texts = ("what the document publishes", "what is run")
    return piece(
        "paths",
        [(f"{UP}/{path}", path, text) for path, text in zip(files, texts, strict=True)],
    )


def _code(study: Study, published: Published, entry: Any) -> Iterator[tuple[str, str, str]]:
    """Address, file and function of everything that makes or judges an entry."""
    name, part = result_name(entry["id"]), published.part_of[entry["id"]]
    places: dict[str, list[str]] = {}
    claims = claims_of(study.name, part)
    wanted = [statement["id"] for statement in entry["expect"]] + [numbers_name(name)]
    found: list[Place] = [claims[one] for one in wanted if one in claims]
    if name in study.results:
        keys = ("table", "figure", "markdown")
        found += [place for key in keys if (place := study.function(name, key)) is not None]
        found += [study.theorems(part)[name]] if "theorem" in study.results[name] else []
        found += [
            place
            for sweep in _sweeps(study, name)
            if (place := study.experiment(sweep)) is not None
        ]
    for place in found:
        places.setdefault(place.module, []).append(place.function)
    for module, functions in places.items():
        path = f"src/{module.replace('.', '/')}.py"
        yield f"{UP}/{path}", path, ", ".join(dict.fromkeys(functions))


def _sources(study: Study, name: str) -> Any:
    return study.results[study.shown_in(name) or name].get("from", {})


def _sweeps(study: Study, name: str) -> list[str]:
    """Experiments that a result rests on; of theorems those of its own part."""
    sweeps = list(_sources(study, name).get("sweep", ()))
    own = f"theorems_{study.part_of.get(('results', name))}"
    return [own] if "theorem" in study.results[name] and own in sweeps else sweeps


def _files(study: Study, name: str, folder: Path) -> Iterator[tuple[str, str, str]]:
    """The table of a result, and where it comes from."""
    place = f"results/{folder.parent.name}/{study.name}"
    table_of = f"{study.shown_in(name) or name}.csv"
    for file, text in ((table_of, ""), (f"{table_of}.json", "its provenance")):
        if (folder / file).is_file():
            yield f"{UP}/{place}/{file}", f"{place}/{file}", text


def _seeds(study: Study, name: str) -> str:
    """Seeds of the jobs that a result rests on."""
    sources = _sources(study, name)
    runs = [*sources.get("train", ())]
    for simulation in sources.get("simulate", ()):
        runs += study.declaration["simulate"][simulation]["networks"]
    found = [study.run_seeds(run) for run in runs]
    found += [study.sweep_seeds(sweep) for sweep in _sweeps(study, name)]
    return "; ".join(dict.fromkeys(", ".join(map(str, seeds)) for seeds in found))


def _command(study: Study, name: str) -> str:
    scale = "" if study.scale == "demo" else f" --config scale={study.scale}"
    return f"snakemake --cores 8 {short_name(study.name, name)}{scale}"


def _settings(study: Study, name: str) -> Iterator[Html]:
    """Settings of the jobs: those in which protocols differ, and those of each experiment."""
    sources = _sources(study, name)
    protocols = list(study.declaration["protocols"])
    training = {
        run: {one: study.training_settings(run, one) for one in study.protocols(run)}
        for run in sources.get("train", ())
    }
    spiking = {
        f"{job.run} ({simulation})": {
            one: study.simulation_settings(simulation, job.run, one)
            for one in study.protocols(job.run)
        }
        for simulation in sources.get("simulate", ())
        for job in study.simulation_jobs(simulation)
    }
    header = ["setting", *(one.replace("_", " ") for one in protocols), "runs"]
    for settings, what in ((training, "Training"), (spiking, "Spiking simulation")):
        if rows := setting_differences(settings, protocols):
            yield table(header, rows, f"{what}: settings in which the protocols differ", ["id"])
    for sweep in _sweeps(study, name):
        settings = study.sweep_settings(sweep)
        rows = [
            [key, setting_text(value)]
            for key, value in settings.items()
            if key not in ("device", "simulation")
        ]
        if rows:
            yield table(["setting", "value"], rows, f"Experiment {sweep}", ["id", "wide"])
