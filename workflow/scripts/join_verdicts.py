"""Put the verdicts of all studies, of rows and of entries, into one table each."""

from plausible.reproduction.provenance import job

with job(snakemake) as run:
    import pandas as pd

    for kind in ("verdicts", "entries"):
        joined = pd.concat([pd.read_csv(path) for path in snakemake.input[kind]], ignore_index=True)
        with run.output(kind) as path:
            joined.to_csv(path, index=False)
