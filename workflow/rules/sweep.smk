rule run_sweep:
    input:
        data=lambda wildcards: (
            [data_file(study_of(wildcards).sweep_dataset(wildcards.sweep))]
            if study_of(wildcards).sweep_dataset(wildcards.sweep)
            else []
        ),
        networks=lambda wildcards: [
            study_of(wildcards).file("convert", job, "npz")
            for job in study_of(wildcards).sweep_networks(wildcards.sweep)
        ],
        published=lambda wildcards: (
            published(wildcards.study, sweep_part(wildcards))
            if declared_sweep(wildcards).get("published")
            else []
        ),
    output:
        "results/{scale}/{study}/sweep/{sweep}{part}.csv",
    log:
        "logs/{scale}/{study}/sweep/{sweep}{part}.log",
    benchmark:
        "results/{scale}/benchmarks/{study}/sweep/{sweep}{part}.tsv"
    threads: 1
    resources:
        mem_mb=growing(lambda wildcards: declared_sweep(wildcards).get("memory_mb", 1500)),
        runtime=growing(lambda wildcards: declared_sweep(wildcards).get("minutes", 30)),
        gpu=lambda wildcards: int(study_of(wildcards).sweep_device(wildcards.sweep) == "cuda"),
    params:
        document_part=sweep_part,
        places=lambda wildcards: {
            name: list(place) for name, place in sweep_places(wildcards).items()
        },
        settings=sweep_settings,
        seeds=lambda wildcards: list(study_of(wildcards).sweep_seeds(wildcards.sweep)),
        networks=lambda wildcards: [
            [job.run, job.protocol] for job in study_of(wildcards).sweep_networks(wildcards.sweep)
        ],
        published=lambda wildcards: declared_sweep(wildcards).get("published"),
        code=sweep_code,
    message:
        "Experiment {wildcards.sweep}{wildcards.part}"
    script:
        "../scripts/run_sweep.py"
