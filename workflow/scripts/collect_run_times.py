"""Add up the measured times and memory of all jobs of a study: per result, per stage, in all."""

from plausible.reproduction.provenance import job

with job(snakemake) as run:
    from plausible.config import project_path
    from plausible.reproduction.declaration import load_study
    from plausible.reproduction.runtimes import collect

    names = snakemake.wildcards
    study = load_study(project_path("workflow", "studies", names.study), snakemake.config)
    frame = collect(study, f"results/{names.scale}/benchmarks")
    frame.insert(0, "study", names.study)
    for row in frame[frame["part"] == "study"].itertuples():
        run.log.info("%s: %d jobs, %.1f minutes on one core", row.study, row.jobs, row.minutes)
    with run.output(0) as path:
        frame.to_csv(path, index=False)
