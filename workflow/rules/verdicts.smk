rule judge_results:
    input:
        tables=lambda wildcards: [
            f"{study_of(wildcards).folder}/{result}.csv"
            for result in study_of(wildcards).own_tables()
        ],
        published=lambda wildcards: published(wildcards.study, *study_of(wildcards).parts),
        reasons=lambda wildcards: reasons(study_of(wildcards)),
    output:
        verdicts=report(
            "results/{scale}/{study}/verdicts.csv",
            caption="../report/verdicts.rst",
            category="{study}",
            subcategory="verdicts",
            labels={"result": "all verdicts"},
        ),
        entries="results/{scale}/{study}/entries.csv",
    log:
        "logs/{scale}/{study}/verdicts.log",
    benchmark:
        "results/{scale}/benchmarks/{study}/verdicts.tsv"
    localrule: True
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
        gpu=0,
    params:
        results=lambda wildcards: study_of(wildcards).own_tables(),
        comparable=lambda wildcards: study_of(wildcards).as_declared(),
        parts=lambda wildcards: study_of(wildcards).parts,
        code=lambda wildcards: claims_code(study_of(wildcards)),
    message:
        "Verdicts of {wildcards.study}: published against reproduced"
    script:
        "../scripts/judge_results.py"


rule join_verdicts:
    input:
        verdicts=[f"results/{{scale}}/{study}/verdicts.csv" for study in STUDIES],
        entries=[f"results/{{scale}}/{study}/entries.csv" for study in STUDIES],
    output:
        verdicts="results/{scale}/verdicts.csv",
        entries="results/{scale}/entries.csv",
    log:
        "logs/{scale}/verdicts.log",
    benchmark:
        "results/{scale}/benchmarks/verdicts.tsv"
    localrule: True
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(5),
        gpu=0,
    params:
        studies=list(STUDIES),
    message:
        "Verdicts of all studies"
    script:
        "../scripts/join_verdicts.py"
