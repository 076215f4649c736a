"""Give every published number and statement of a study its verdict."""

from plausible.reproduction.provenance import job

with job(snakemake) as run:
    import pandas as pd

    from plausible.reproduction.published import load_published
    from plausible.reproduction.verdicts import verdict_table

    names = snakemake.wildcards
    tables = {
        result: pd.read_csv(path)
        for result, path in zip(snakemake.params.results, snakemake.input.tables, strict=True)
    }
    verdicts = verdict_table(
        names.study,
        tables,
        names.scale,
        load_published(f"workflow/published/{names.study}", snakemake.params.parts),
        comparable=snakemake.params.comparable,
    )
    run.log.info("%s", verdicts["verdict"].value_counts().to_string(header=False))
    with run.output(0) as path:
        verdicts.to_csv(path, index=False)
