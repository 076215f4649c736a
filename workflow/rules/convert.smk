rule convert_network:
    input:
        network="results/{scale}/{study}/train/{run}.{protocol}.{shard}.npz",
    output:
        "results/{scale}/{study}/convert/{run}.{protocol}.{shard}.npz",
    log:
        "logs/{scale}/{study}/convert/{run}.{protocol}.{shard}.log",
    benchmark:
        "results/{scale}/benchmarks/{study}/convert/{run}.{protocol}.{shard}.tsv"
    localrule: True
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(5),
        gpu=0,
    params:
        code=source_digest("plausible.conversion.shadow"),
    message:
        "Convert {wildcards.run} ({wildcards.protocol}), seeds {wildcards.shard}, to spiking neurons"
    script:
        "../scripts/convert_network.py"
