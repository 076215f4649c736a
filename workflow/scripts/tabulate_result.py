"""Put the tidy table of a result together from the tables of its runs."""

from importlib import import_module
from pathlib import Path

from plausible.reproduction.provenance import job

with job(snakemake) as run:
    import pandas as pd

    tables = import_module(f"plausible.studies.{snakemake.wildcards.study}.tables")
    # A job of a sweep that is divided among more jobs than it has tasks writes no rows, only "\n".
    frames = {
        source: pd.concat(
            [pd.read_csv(path) for path in paths if Path(path).stat().st_size > 1],
            ignore_index=True,
        )
        for source, paths in snakemake.params.sources.items()
    }
    table = getattr(tables, snakemake.params.table)(frames, snakemake.params.options)
    with run.output(0) as path:
        # Eight digits: more than any published number has, and a third of the size.
        table.to_csv(path, index=False, float_format="%.8g")
