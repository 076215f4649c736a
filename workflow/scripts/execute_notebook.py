"""Execute the report of a study and turn it into a page that needs no network."""

from plausible.reproduction.provenance import job

with job(snakemake) as run:
    from plausible.reproduction.reports import render_notebook

    names = snakemake.wildcards
    with run.output("notebook") as notebook, run.output("html") as html:
        render_notebook(
            snakemake.input.templates,
            {
                "study": names.study,
                "scale": names.scale,
                "results_dir": f"results/{names.scale}/{names.study}",
                "published_dir": f"workflow/published/{names.study}",
                "study_dir": f"workflow/studies/{names.study}",
                "reference_dir": f"results/reference/{names.study}",
            },
            notebook,
            html,
            snakemake.log[0],
        )
