"""Run one experiment of a part, one job of it, or the theorems of a part, in one process."""

import shutil
from importlib import import_module

from plausible.reproduction.provenance import job

with job(snakemake) as run:
    from plausible.conversion.shadow import load_spiking
    from plausible.data.store import load_dataset
    from plausible.reproduction.declaration import settings_model
    from plausible.reproduction.published import load_published, published_folder
    from plausible.reproduction.study_files import THEOREMS
    from plausible.settings import read_settings

    params, given, names = snakemake.params, snakemake.input, snakemake.wildcards
    # Where data lie does not change what they are, so this is no parameter of the job.
    values = {**params.settings, "data_dir": snakemake.config["data"]["dir"]}
    if given.published:
        document = load_published(published_folder(names.study), [params.document_part])
        entry = document.entry(params.published)
        values["published"] = {**entry["values"], **document.recovered.get(entry["id"], {})}
    networks = {}
    for path, (name, protocol) in zip(given.networks, params.networks, strict=True):
        networks.setdefault(f"{name}.{protocol}", {}).update(load_spiking(path))
    functions = {
        name: getattr(import_module(module), function)
        for name, (module, function) in params.places.items()
    }
    experiment = functions.get("experiment")
    model = settings_model(
        names.study, params.document_part, experiment.__name__ if experiment else THEOREMS
    )
    settings = read_settings(model, values, f"sweep.{names.sweep}")
    dataset = load_dataset(given.data[0]) if given.data else None
    if experiment:
        table = experiment(settings, list(params.seeds), dataset, networks or None)
    else:
        from plausible.reproduction.theorem_checks import theorem_table

        theorems = {f"{names.study}.{result}": check for result, check in functions.items()}
        table = theorem_table(theorems, settings, params.seeds, dataset)
    with run.output(0) as path:
        table.to_csv(path, index=False)
    if settings.checkpoints:
        # With those of earlier states of the settings and the code.
        shutil.rmtree(settings.checkpoints.parent, ignore_errors=True)
