rule train:
    input:
        data=lambda wildcards: data_file(training_settings(wildcards)["dataset"]),
    output:
        network="results/{scale}/{study}/train/{run}.{protocol}.{shard}.npz",
        history="results/{scale}/{study}/train/{run}.{protocol}.{shard}.csv",
    log:
        "logs/{scale}/{study}/train/{run}.{protocol}.{shard}.log",
    benchmark:
        "results/{scale}/benchmarks/{study}/train/{run}.{protocol}.{shard}.tsv"
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(lambda wildcards: study_of(wildcards).scale_value("training_minutes", 10)),
        gpu=1 if CONFIG["device"] == "cuda" else 0,
    params:
        settings=training_settings,
        seed_group=lambda wildcards: study_of(wildcards).seed_group(wildcards.run),
        seeds=lambda wildcards: [int(seed) for seed in wildcards.shard.split("-")],
        device=CONFIG["device"],
        # A folder of its own for every job and every state of the code: jobs beside this one must
        # not remove its checkpoints, and a changed method must not go on from an old one.
        checkpoints="results/{scale}/{study}/checkpoints/{run}.{protocol}.{shard}."
        + source_digest("plausible.reproduction.train"),
        code=source_digest("plausible.reproduction.train"),
    message:
        "Train {wildcards.run} ({wildcards.protocol}), seeds {wildcards.shard}"
    script:
        "../scripts/train.py"
