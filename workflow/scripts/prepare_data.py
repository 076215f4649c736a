"""Read, check and store one data set."""

from plausible.reproduction.provenance import job

with job(snakemake) as run:
    from plausible.data.registry import prepare
    from plausible.data.store import save_dataset

    data = snakemake.config["data"]
    dataset = prepare(snakemake.wildcards.dataset, data["dir"], data["sets"])
    run.note(dataset_checksum=dataset.checksum)
    with run.output(0) as path:
        save_dataset(path, dataset)
