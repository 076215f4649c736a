rule simulate_spikes:
    input:
        network="results/{scale}/{study}/convert/{run}.{protocol}.{shard}.npz",
        data=lambda wildcards: data_file(
            study_of(wildcards).training_settings(wildcards.run, wildcards.protocol)["dataset"]
        ),
    output:
        "results/{scale}/{study}/simulate/{simulation}.{run}.{protocol}.{shard}.csv",
    log:
        "logs/{scale}/{study}/simulate/{simulation}.{run}.{protocol}.{shard}.log",
    benchmark:
        "results/{scale}/benchmarks/{study}/simulate/{simulation}.{run}.{protocol}.{shard}.tsv"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(lambda wildcards: study_of(wildcards).scale_value("simulation_minutes", 10)),
        gpu=0,
    params:
        settings=lambda wildcards: study_of(wildcards).simulation_settings(
            wildcards.simulation, wildcards.run, wildcards.protocol
        ),
        seeds=lambda wildcards: [int(seed) for seed in wildcards.shard.split("-")],
        code=source_digest("plausible.reproduction.simulate"),
    message:
        "Simulate spikes ({wildcards.simulation}) of {wildcards.run} ({wildcards.protocol}), seeds {wildcards.shard}"
    script:
        "../scripts/simulate_spikes.py"
