# Tidy table, picture and readable table of every result.
rule tabulate_result:
    input:
        lambda wildcards: sum(study_of(wildcards).result_inputs(wildcards.result).values(), []),
    output:
        "results/{scale}/{study}/{result}.csv",
    log:
        "logs/{scale}/{study}/results/{result}.csv.log",
    benchmark:
        "results/{scale}/benchmarks/{study}/tabulate/{result}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
        gpu=0,
    params:
        sources=lambda wildcards: study_of(wildcards).result_inputs(wildcards.result),
        table=lambda wildcards: declared_result(wildcards).get("table", "as_they_are"),
        options=lambda wildcards: declared_result(wildcards).get("options", {}),
        code=lambda wildcards: source_digest(f"plausible.studies.{wildcards.study}.tables"),
    message:
        "Table of {wildcards.study}.{wildcards.result}"
    script:
        "../scripts/tabulate_result.py"


rule draw_figure:
    input:
        table=lambda wildcards: study_of(wildcards).data_of(wildcards.result),
        published=PUBLISHED,
        recovered=RECOVERED,
        curves=published_curves,
    output:
        svg=report(
            "results/{scale}/{study}/{result}.svg",
            caption="../report/figure.rst",
            category="{study}",
            subcategory="figures",
            labels={"result": "{result}"},
        ),
        png="results/{scale}/{study}/{result}.png",
    log:
        "logs/{scale}/{study}/results/{result}.figure.log",
    benchmark:
        "results/{scale}/benchmarks/{study}/draw/{result}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
        gpu=0,
    params:
        figure=lambda wildcards: declared_result(wildcards)["figure"],
        curves_folder=CURVES,
        dataset=lambda wildcards: study_of(wildcards).dataset,
        code=lambda wildcards: source_digest(f"plausible.plots.{wildcards.study}"),
    message:
        "Picture of {wildcards.study}.{wildcards.result}"
    script:
        "../scripts/draw_figure.py"


rule write_markdown:
    input:
        table=lambda wildcards: study_of(wildcards).data_of(wildcards.result),
        published=PUBLISHED,
    output:
        report(
            "results/{scale}/{study}/{result}.md",
            caption="../report/table.rst",
            category="{study}",
            subcategory="tables",
            labels={"result": "{result}"},
        ),
    log:
        "logs/{scale}/{study}/results/{result}.md.log",
    benchmark:
        "results/{scale}/benchmarks/{study}/markdown/{result}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
        gpu=0,
    params:
        markdown=lambda wildcards: declared_result(wildcards)["markdown"],
        published=lambda wildcards: declared_result(wildcards).get("published", wildcards.result),
        code=lambda wildcards: source_digest(f"plausible.studies.{wildcards.study}.tables"),
    message:
        "Readable table of {wildcards.study}.{wildcards.result}"
    script:
        "../scripts/write_markdown.py"
