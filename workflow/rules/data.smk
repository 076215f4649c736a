rule prepare_data:
    output:
        "results/{scale}/data/{dataset}.npz",
    log:
        "logs/{scale}/data/{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/data/{dataset}.tsv"
    threads: 1
    retries: 2  # only a download can fail and then succeed
    resources:
        mem_mb=1500,
        runtime=20,
        gpu=0,
    params:
        # Where a known data set lies does not change what it is: its checksum is verified.
        source=lambda wildcards: CONFIG["data"]["sets"].get(wildcards.dataset),
        code=source_digest("plausible.data"),
    message:
        "Data set {wildcards.dataset}: read and check"
    script:
        "../scripts/prepare_data.py"
