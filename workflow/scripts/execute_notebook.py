"""Execute the report of a study and turn it into pages that need no network."""

from plausible.reproduction.provenance import job

with job(snakemake) as run:
    from contextlib import ExitStack
    from pathlib import Path

    from plausible.config import project_path
    from plausible.reproduction.reports import render_notebook

    study, scale = snakemake.params.study, snakemake.params.scale
    with ExitStack() as outputs:
        pages = {
            Path(path).name: outputs.enter_context(run.output(path))
            for path in snakemake.params.pages
        }
        render_notebook(
            snakemake.input.templates,
            {
                "study": study,
                "scale": scale,
                "results_dir": f"results/{scale}/{study}",
                "published_dir": project_path("workflow", "published", study),
                "study_dir": project_path("workflow", "studies", study),
                "reference_dir": project_path("results", "reference", study),
            },
            outputs.enter_context(run.output("notebook")),
            pages,
            snakemake.log[0],
            snakemake.params.terms,
        )
