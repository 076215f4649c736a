"""Make all that a result consists of: tidy table, picture, readable table."""

from plausible.reproduction.provenance import job

with job(snakemake) as run:
    from itertools import islice

    from plausible.reproduction.published import published_folder
    from plausible.reproduction.results import make_result

    params, tables = snakemake.params, iter(snakemake.input.tables)
    sources = {name: list(islice(tables, count)) for name, count in params.sources.items()}
    make_result(
        run,
        folder=published_folder(params.study),
        parts=params.parts,
        sources=sources,
        options=params.options,
        shown_in=snakemake.input.tables[0],
        functions=params.functions,
        shows=params.shows,
        dataset=params.dataset,
        outputs=list(dict(snakemake.output.items())),
    )
