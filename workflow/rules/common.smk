# Configuration and studies, checked before any job starts; names shared by all rules.
import hashlib
import json
import re
import sys
from pathlib import Path

import yaml

from plausible.config import load_config
from plausible.data.registry import source_files
from plausible.errors import PlausibleError
from plausible.reproduction.adoption import adopt_results, came_with_the_checkout
from plausible.sources import files_digest, module_path, registered_module, source_digest
from plausible.studies.declaration import load_studies, short_name
from plausible.studies.study_files import study_files

try:
    CONFIG = load_config(config, workflow.basedir)
    # Scripts see the completed configuration.
    config.update(CONFIG)
    STUDIES = load_studies("workflow/studies", "workflow/schemas/study.schema.yaml", CONFIG)
except PlausibleError as error:
    sys.exit(f"error: {error}")

SCALE = CONFIG["scale"]
PUBLISHED = "workflow/published/{study}.yaml"
RECOVERED = "workflow/published/recovered.yaml"
CURVES = "workflow/published/curves"
TEMPLATES = files_digest(module_path("plausible.reproduction.pages").with_name("templates"))

if came_with_the_checkout():
    adopt_results(f"results/{SCALE}")


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
    result=names("results"),
    shard="[0-9]+(-[0-9]+)*",


def data_file(dataset):
    """Path of a prepared data set."""
    return f"results/{SCALE}/data/{dataset}.npz"


def published_curves(wildcards):
    """Published curves of a study, as recovered from its graphics."""
    return sorted(map(str, Path(CURVES).glob(f"{wildcards.study}.*.csv")))


def reference_files(wildcards):
    """Tables of the committed reference run of a study, if there is one."""
    return sorted(map(str, Path(f"results/reference/{wildcards.study}").glob("*.csv")))


def study_of(wildcards):
    """The study that a job belongs to."""
    return STUDIES[wildcards.study]


def training_settings(wildcards):
    """Settings of a training run."""
    return study_of(wildcards).training_settings(wildcards.run, wildcards.protocol)


def declared_sweep(wildcards):
    """Declaration of a sweep in its study file."""
    return study_of(wildcards).declaration["sweep"][wildcards.sweep]


def sweep_experiment(wildcards):
    """Name of the experiment that a sweep runs."""
    return declared_sweep(wildcards).get("experiment", wildcards.sweep)


def sweep_code(wildcards):
    """Digest of the code of a sweep's experiment, whatever the study's other experiments are."""
    experiments = f"plausible.studies.{wildcards.study}.experiments"
    return source_digest(registered_module(experiments, "EXPERIMENTS", sweep_experiment(wildcards)))


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


def declared_result(wildcards):
    """Declaration of a result in its study file."""
    return study_of(wildcards).results[wildcards.result]


def study_results(study):
    """Tables and pictures of a study, and its verdicts."""
    files = [path for result in study.results for path in study.result_files(result)]
    return [*dict.fromkeys(files), f"{study.folder}/verdicts.csv"]


def study_targets(study):
    """Everything that a study consists of."""
    return [*study_results(study), f"reports/{SCALE}/{study.name}.html"]
