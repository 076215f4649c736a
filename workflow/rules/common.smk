# Configuration and studies, checked before any job starts; names shared by all rules.
import hashlib
import json
import os
import re
import shlex
import sys
from pathlib import Path

from plausible.config import ROOT_VARIABLE, load_config, load_configs, project_path
from plausible.data.registry import source_files
from plausible.errors import PlausibleError
from plausible.reproduction.adoption import (
    adopt_results,
    came_with_the_checkout,
    check_folders,
    set_aside_changed,
)
from plausible.reproduction.parts import file_of, modules
from plausible.reproduction.published import published_files
from plausible.reproduction.study_files import study_files
from plausible.reproduction.progress import PlannedJob, plan
from plausible.reproduction.runtimes import read_benchmark
from plausible.sources import source_digest
from plausible.reproduction.declaration import load_studies, short_name

# The project lies above this file, wherever the working directory is: with `--directory`, and as a
# module of another workflow.
os.environ[ROOT_VARIABLE] = str(Path(str(workflow.current_basedir)).parents[1])

# Snakemake starts scripts by the path of the interpreter as it stands, so one with a space or
# another sign of the shell in it has to be quoted.
if not sys.executable.startswith("'"):
    sys.executable = shlex.quote(sys.executable)


def read_configuration():
    """The configuration of another workflow that has this one as a module, or that of the files.

    The files are read here, and not by Snakemake, which takes the last of two equal keys, knows no
    file to name and hands over texts for what stands in a list behind `--config`.
    """
    if workflow.modifier.skip_configfile:
        return load_config(config)
    own = "config.yaml" if Path("config.yaml").exists() else project_path("config.yaml")
    # On a cluster the jobs need a GPU, and this machine may have none.
    return load_configs(
        [own, *workflow.overwrite_configfiles],
        workflow.config_settings.config,
        device_is_here=not workflow.non_local_exec,
    )


try:
    CONFIG = read_configuration()
    # Scripts see the completed configuration.
    config.clear()
    config.update(CONFIG)
    STUDIES = load_studies(project_path("workflow", "studies"), CONFIG)
    if not workflow.output_settings.dryrun:
        check_folders(["results", "reports", "logs", ".snakemake"])
except PlausibleError as error:
    sys.exit(f"error: {error}")

SCALE = CONFIG["scale"]
PUBLISHED = project_path("workflow", "published")
RECOVERED = f"{PUBLISHED}/recovered.yaml"
CURVES = f"{PUBLISHED}/curves"

if workflow.is_main_process:  # a job on a cluster reads this file too, beside others that write
    fresh = came_with_the_checkout()
    for path in set_aside_changed(f"results/{SCALE}", every=fresh):
        logger.info(
            f"{path.with_suffix('')} was changed since it was made; yours is kept as {path}."
        )
    if fresh:
        adopt_results(f"results/{SCALE}")


def known_minutes(benchmark):
    """Minutes of a job in an earlier run, from Snakemake's measurement; None if there is none."""
    measured = read_benchmark(benchmark) if benchmark else None
    return measured.seconds / 60 if measured and measured.seconds > 0 else None


def growing(need):
    """Minutes or memory of a job: with each attempt once more, where a profile has `retries`."""
    if callable(need):
        return lambda wildcards, attempt: attempt * need(wildcards)
    return lambda wildcards, attempt: attempt * need


def names(section):
    """Regular expression of the names that the studies declare in a section."""
    known = {name for study in STUDIES.values() for name in study.declaration[section]}
    return "|".join(re.escape(name) for name in sorted(known)) or "none"


wildcard_constraints:
    scale=SCALE,
    study="|".join(STUDIES),
    dataset="[a-z][a-z0-9_]*",
    run=names("train"),
    simulation=names("simulate"),
    sweep=names("sweep"),
    part="([.][0-9]+)?",
    protocol=names("protocols"),
    shard="[0-9]+(-[0-9]+)*",


def data_file(dataset):
    """Path of a prepared data set."""
    return f"results/{SCALE}/data/{dataset}.npz"


def own(paths):
    """Files of the project, which are with every job even where results lie in a storage."""
    return [local(str(path)) for path in paths]


def published(study, *parts):
    """Files that say what the document of a study published, in its parts."""
    return own([*published_files(f"{PUBLISHED}/{study}", parts), RECOVERED])


def published_curves(study):
    """Published curves of a study, as recovered from its graphics."""
    return own(sorted(Path(CURVES).glob(f"{study}.*.csv")))


def reference_files(study):
    """Tables of the committed reference run of a study, if there is one."""
    folder = project_path("results", "reference", study)
    return own(sorted(Path(folder).glob("*.csv")))


def study_of(wildcards):
    """The study that a job belongs to."""
    return STUDIES[wildcards.study]


def training_settings(wildcards):
    """Settings of a training run."""
    return study_of(wildcards).training_settings(wildcards.run, wildcards.protocol)


def declared_sweep(wildcards):
    """Declaration of a sweep in its study file."""
    return study_of(wildcards).declaration["sweep"][wildcards.sweep]


def sweep_part(wildcards):
    """Part of the study in which a sweep is declared."""
    return study_of(wildcards).part_of["sweep", wildcards.sweep]


def sweep_places(wildcards):
    """Functions that a sweep runs: its experiment, or the theorems of its part by their results."""
    study = study_of(wildcards)
    found = study.experiment(wildcards.sweep)
    return study.theorems(sweep_part(wildcards)) if found is None else {"experiment": found}


def sweep_code(wildcards):
    """Digest of the code of a sweep, whatever the study's other experiments are."""
    code = {place.module for place in sweep_places(wildcards).values()}
    if study_of(wildcards).experiment(wildcards.sweep) is None:
        code.add("plausible.reproduction.theorem_checks")
    return source_digest(*sorted(code))


def sweep_settings(wildcards):
    """Settings of one job of a sweep.

    A part of a sweep keeps checkpoints in a folder of its own for every state of settings and code.
    """
    settings = study_of(wildcards).sweep_settings(wildcards.sweep, wildcards.part)
    if wildcards.part:
        state = [settings, study_of(wildcards).sweep_seeds(wildcards.sweep), sweep_code(wildcards)]
        digest = hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()[:16]
        folder = f"{study_of(wildcards).folder}/checkpoints/{wildcards.sweep}{wildcards.part}"
        settings["checkpoints"] = f"{folder}/{digest}"
    return settings


def study_results(study):
    """Tables and pictures of a study, and its verdicts."""
    files = [path for result in study.results for path in study.result_files(result)]
    return [*dict.fromkeys(files), f"{study.folder}/verdicts.csv", f"{study.folder}/entries.csv"]


def study_targets(study):
    """Everything that a study consists of."""
    return [*study_results(study), *study.pages.values()]


def own_files(study, result):
    """Files that a result does not share with others, by the ends of their names."""
    shared = f"{study.folder}/{study.shown_in(result)}.csv"
    return {path.rpartition(".")[2]: path for path in study.result_files(result) if path != shared}


def result_tables(study, result):
    """Tables from which a result is made: those of its sources, or that of the result it shows."""
    files = sum(study.result_inputs(result).values(), [])
    return files or [study.data_of(result)]


def result_parts(study, result):
    """Parts whose published entries a result shows; none for the table of all theorems."""
    names = (result, study.results[result].get("published", result))
    found = [study.part_of.get(("results", name)) for name in names]
    return [*dict.fromkeys(part for part in found if part)]


def result_functions(study, result):
    """Module and name of the functions that make the files of a result."""
    found = {key: study.function(result, key) for key in ("table", "markdown", "figure")}
    return {key: list(place) for key, place in found.items() if place is not None}


def result_code(study, result):
    """Digest of the code that makes a result."""
    code = [module for module, _ in result_functions(study, result).values()]
    return source_digest("plausible.reproduction.results", *code)


def reported(study, result, files):
    """Outputs of a result by their kind; its picture and readable table stand in the report."""
    shown = dict(files)
    for kind, caption in (("svg", "figure"), ("md", "table")):
        if kind in shown:
            shown[kind] = report(
                files[kind],
                caption=f"../report/{caption}.rst",
                category=study,
                subcategory=f"{caption}s",
                labels={"result": result},
            )
    return shown


def claims_code(study):
    """Digest of the code that judges a study: the rule of judging and the claims of all parts."""
    code = [module for part in study.parts for module in modules(study.name, part, "claims")]
    return source_digest("plausible.reproduction.entries", *code)


def report_code(study):
    """Digest of the code of a report: the engine, and what the parts of the study show by it."""
    code = [module for part in study.parts for module in modules(study.name, part, "report")]
    return source_digest(
        "plausible.reproduction.reports", "plausible.reproduction.study_report", *code
    )


def reasons(study):
    """Files of reasons of a study's parts, relative to where they lie in a copy of the project."""
    paths = [file_of(study.name, part, "reasons.yaml") for part in study.parts]
    return own(os.path.relpath(path) for path in paths if path.is_file())
