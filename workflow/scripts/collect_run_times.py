"""Add up the measured times and memory of all jobs: per result, per stage, per study."""

from plausible.reproduction.provenance import job

with job(snakemake) as run:
    import pandas as pd

    from plausible.reproduction.runtimes import collect
    from plausible.reproduction.declaration import load_study

    params, frames = snakemake.params, []
    for name in params.studies:
        study = load_study(f"workflow/studies/{name}", snakemake.config)
        frame = collect(study, f"results/{params.scale}/benchmarks")
        frame.insert(0, "study", name)
        frames.append(frame)
    joined = pd.concat(frames, ignore_index=True)
    for row in joined[joined["part"] == "study"].itertuples():
        run.log.info("%s: %d jobs, %.1f minutes on one core", row.study, row.jobs, row.minutes)
    with run.output(0) as path:
        joined.to_csv(path, index=False)
