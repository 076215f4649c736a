"""Put the verdicts of all studies into one table."""

from plausible.reproduction.provenance import job

with job(snakemake) as run:
    import pandas as pd

    joined = pd.concat([pd.read_csv(path) for path in snakemake.input], ignore_index=True)
    with run.output(0) as path:
        joined.to_csv(path, index=False)
