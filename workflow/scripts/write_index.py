"""Write the entry page of a scale: studies, verdicts, run times, links."""

from plausible.reproduction.provenance import job

with job(snakemake) as run:
    import pandas as pd

    from plausible.reproduction.index_page import write_index

    scale = snakemake.wildcards.scale
    with run.output(0) as path:
        write_index(
            path,
            f"{scale} scale",
            snakemake.params.comparable,
            pd.read_csv(snakemake.input.verdicts, keep_default_na=False, na_values=[""]),
            pd.read_csv(snakemake.input.entries, keep_default_na=False, na_values=[""]),
            pd.concat(map(pd.read_csv, snakemake.input.runtimes), ignore_index=True),
            f"results/{scale}",
        )
