"""Draw one picture from its tidy table."""

from importlib import import_module

from plausible.reproduction.provenance import job

with job(snakemake) as run:
    import pandas as pd

    from plausible.plots import style
    from plausible.plots.published import load_curves

    plots = import_module(f"plausible.plots.{snakemake.wildcards.study}")
    figure = plots.FIGURES[snakemake.params.figure](
        pd.read_csv(snakemake.input.table),
        load_curves(snakemake.params.curves_folder, snakemake.wildcards.study),
        dataset=snakemake.params.dataset,
    )
    with run.output("svg") as svg, run.output("png") as png:
        style.save_figure(figure, svg, png)
