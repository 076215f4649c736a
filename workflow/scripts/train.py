"""Train one run in one protocol for the seeds of a shard."""

from plausible.reproduction.provenance import job

with job(snakemake) as run:
    from plausible.data.store import load_dataset
    from plausible.networks.storage import save_networks
    from plausible.reproduction.train import train_shard

    names = snakemake.wildcards
    networks, history = train_shard(
        settings=snakemake.params.settings,
        study=names.study,
        seed_group=snakemake.params.seed_group,
        labels={"run": names.run, "protocol": names.protocol},
        seeds=[int(seed) for seed in names.shard.split("-")],
        dataset=load_dataset(snakemake.input.data),
        device=snakemake.params.device,
        checkpoints=snakemake.params.checkpoints,
        log=run.log,
    )
    with run.output("network") as path:
        save_networks(path, networks, snakemake.params.settings)
    with run.output("history") as path:
        history.to_csv(path, index=False)
