"""Write a result's table for people to read."""

from importlib import import_module

from plausible.reproduction.provenance import job

with job(snakemake) as run:
    import pandas as pd

    from plausible.files import write_text
    from plausible.reproduction.published import load_published

    names = snakemake.wildcards
    entries = load_published(snakemake.input.published)
    identifier = f"{names.study}.{snakemake.params.published}"
    tables = import_module(f"plausible.studies.{names.study}.tables")
    text = getattr(tables, snakemake.params.markdown)(
        pd.read_csv(snakemake.input.table),
        entries.entry(identifier)["values"] if identifier in entries.entries else {},
    )
    with run.output(0) as path:
        write_text(path, text)
