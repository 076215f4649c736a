"""Make all that a result consists of: tidy table, picture, readable table."""

from plausible.reproduction.provenance import job

with job(snakemake) as run:
    from plausible.reproduction.published import published_folder
    from plausible.reproduction.results import make_result

    params = snakemake.params
    make_result(
        run,
        folder=published_folder(params.study),
        parts=params.parts,
        sources=params.sources,
        options=params.options,
        shown_in=snakemake.input.tables[0],
        functions=params.functions,
        shows=params.shows,
        dataset=params.dataset,
        outputs=list(dict(snakemake.output.items())),
    )
