"""Simulate the spiking networks of a shard on the test set."""

from plausible.reproduction.provenance import job

with job(snakemake) as run:
    from plausible.conversion.shadow import load_spiking
    from plausible.data.store import load_dataset
    from plausible.reproduction.simulate import simulate_shard
    from plausible.reproduction.study_models import SpikingSimulation
    from plausible.settings import read_settings

    names = snakemake.wildcards
    table = simulate_shard(
        networks=load_spiking(snakemake.input.network),
        dataset=load_dataset(snakemake.input.data),
        settings=read_settings(SpikingSimulation, snakemake.params.settings, names.simulation),
        keys=(names.study, names.simulation, names.run, names.protocol),
        labels={"run": names.run, "protocol": names.protocol},
    )
    with run.output(0) as path:
        table.to_csv(path, index=False)
