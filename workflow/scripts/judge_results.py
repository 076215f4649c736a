"""Give every published number and statement of a study its verdict."""

from plausible.reproduction.provenance import job

with job(snakemake) as run:
    import pandas as pd

    from plausible.reproduction.entries import entry_verdicts
    from plausible.reproduction.published import load_published, published_folder
    from plausible.reproduction.verdicts import verdict_table

    names = snakemake.wildcards
    tables = {
        result: pd.read_csv(path)
        for result, path in zip(snakemake.params.results, snakemake.input.tables, strict=True)
    }
    published = load_published(published_folder(names.study), snakemake.params.parts)
    verdicts = verdict_table(
        names.study, tables, names.scale, published, comparable=snakemake.params.comparable
    )
    entries = entry_verdicts(verdicts, published)
    run.log.info("%s", entries["verdict"].value_counts().to_string(header=False))
    with run.output("verdicts") as path:
        verdicts.to_csv(path, index=False)
    with run.output("entries") as path:
        entries.to_csv(path, index=False)
