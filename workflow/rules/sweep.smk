rule run_sweep:
    input:
        data=lambda wildcards: (
            [data_file(study_of(wildcards).dataset)]
            if declared_sweep(wildcards).get("data_set")
            else []
        ),
        networks=lambda wildcards: [
            study_of(wildcards).file("convert", job, "npz")
            for job in study_of(wildcards).sweep_networks(wildcards.sweep)
        ],
        published=lambda wildcards: (
            [PUBLISHED.format(study=wildcards.study)]
            if declared_sweep(wildcards).get("published")
            else []
        ),
    output:
        "results/{scale}/{study}/sweep/{sweep}.csv",
    log:
        "logs/{scale}/{study}/sweep/{sweep}.log",
    benchmark:
        "results/{scale}/benchmarks/{study}/sweep/{sweep}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
        gpu=1 if CONFIG["device"] == "cuda" else 0,
    params:
        experiment=lambda wildcards: declared_sweep(wildcards).get("experiment", wildcards.sweep),
        settings=lambda wildcards: study_of(wildcards).sweep_settings(wildcards.sweep),
        seeds=lambda wildcards: list(study_of(wildcards).sweep_seeds(wildcards.sweep)),
        networks=lambda wildcards: [
            [job.run, job.protocol] for job in study_of(wildcards).sweep_networks(wildcards.sweep)
        ],
        published=lambda wildcards: declared_sweep(wildcards).get("published"),
        code=lambda wildcards: source_digest(f"plausible.studies.{wildcards.study}.experiments"),
    message:
        "Experiment {wildcards.sweep}"
    script:
        "../scripts/run_sweep.py"
