rule prepare_data:
    input:
        # The user's own files; MNIST's are known by their checksums, wherever they lie.
        lambda wildcards: (
            own(source_files(wildcards.dataset, None, CONFIG["data"]["sets"]))
            if wildcards.dataset in CONFIG["data"]["sets"]
            else []
        ),
    output:
        "results/{scale}/data/{dataset}.npz",
    log:
        "logs/{scale}/data/{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/data/{dataset}.tsv"
    retries: 2  # only a download can fail and then succeed
    localrule: True
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(20),
        gpu=0,
    params:
        # Where a known data set lies does not change what it is: its checksum is verified.
        source=lambda wildcards: CONFIG["data"]["sets"].get(wildcards.dataset),
        code=source_digest("plausible.data.registry", "plausible.data.store"),
    message:
        "Data set {wildcards.dataset}: read and check"
    script:
        "../scripts/prepare_data.py"
