"""Run one experiment of a study, or one part of it, in one process."""

import shutil
from importlib import import_module
from pathlib import Path

from plausible.reproduction.provenance import job

with job(snakemake) as run:
    from plausible.conversion.shadow import load_spiking
    from plausible.data import load_dataset
    from plausible.reproduction.published import load_published

    params, given = snakemake.params, snakemake.input
    settings = dict(params.settings)
    if given.published:
        document = load_published(given.published[0])
        entry = document.entry(params.published)
        settings["published"] = {**entry["values"], **document.recovered.get(entry["id"], {})}
    networks = {}
    for path, (name, protocol) in zip(given.networks, params.networks, strict=True):
        networks.setdefault(f"{name}.{protocol}", {}).update(load_spiking(path))
    experiments = import_module(f"plausible.studies.{snakemake.wildcards.study}.experiments")
    table = experiments.EXPERIMENTS[params.experiment](
        settings,
        list(params.seeds),
        load_dataset(given.data[0]) if given.data else None,
        networks or None,
    )
    with run.output(0) as path:
        table.to_csv(path, index=False)
    if "checkpoints" in settings:
        # With those of earlier states of the settings and the code.
        shutil.rmtree(Path(settings["checkpoints"]).parent, ignore_errors=True)
