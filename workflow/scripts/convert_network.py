"""Turn the trained networks of a shard into spiking networks."""

from plausible.reproduction.provenance import job

with job(snakemake) as run:
    from plausible.conversion.shadow import convert, save_spiking
    from plausible.networks.storage import load_networks

    stored = load_networks(snakemake.input.network)
    with run.output(0) as path:
        save_spiking(path, {seed: convert(network) for seed, network in stored.items()})
