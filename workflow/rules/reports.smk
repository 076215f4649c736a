# Run times, executed notebooks, the index page and Snakemake's own report.
rule collect_run_times:
    input:
        lambda wildcards: study_results(study_of(wildcards)),
    output:
        "results/{scale}/{study}/runtimes.csv",
    log:
        "logs/{scale}/{study}/runtimes.log",
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
        gpu=0,
    params:
        code=source_digest("plausible.reproduction.runtimes"),
    message:
        "Run times and peak memory of every result of {wildcards.study}"
    script:
        "../scripts/collect_run_times.py"


rule execute_notebook:
    input:
        results=lambda wildcards: study_results(study_of(wildcards)),
        verdicts="results/{scale}/{study}/verdicts.csv",
        runtimes="results/{scale}/{study}/runtimes.csv",
        config="results/{scale}/config.yaml",
        templates=lambda wildcards: study_of(wildcards).notebooks,
        published=lambda wildcards: published(wildcards.study, *study_of(wildcards).parts),
        study=lambda wildcards: study_files(f"workflow/studies/{wildcards.study}"),
        reasons=lambda wildcards: reasons(study_of(wildcards)),
        # The committed reference run, where there is one, is the third column.
        reference=reference_files,
    output:
        notebook="reports/{scale}/{study}.ipynb",
        html=report(
            "reports/{scale}/{study}.html",
            caption="../report/notebook.rst",
            category="{study}",
            subcategory="report",
            labels={"result": "executed report"},
        ),
    log:
        "logs/{scale}/{study}/notebook.log",
    benchmark:
        "results/{scale}/benchmarks/{study}/notebook.tsv"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=10,
        gpu=0,
    params:
        code=lambda wildcards: report_code(study_of(wildcards)),
    message:
        "Report of {wildcards.study}"
    script:
        "../scripts/execute_notebook.py"


rule write_index:
    input:
        verdicts="results/{scale}/verdicts.csv",
        runtimes=[f"results/{{scale}}/{study}/runtimes.csv" for study in STUDIES],
        reports=[f"reports/{{scale}}/{study}.html" for study in STUDIES],
    output:
        "reports/{scale}/index.html",
    log:
        "logs/{scale}/index.log",
    benchmark:
        "results/{scale}/benchmarks/index.tsv"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
        gpu=0,
    params:
        studies={name: study.title for name, study in STUDIES.items()},
        code=source_digest("plausible.reproduction.index_page"),
    message:
        "Index of all reports: reports/{wildcards.scale}/index.html"
    script:
        "../scripts/write_index.py"


rule keep_config:
    output:
        "results/{scale}/config.yaml",
    log:
        "logs/{scale}/config.log",
    threads: 1
    resources:
        mem_mb=200,
        runtime=5,
        gpu=0,
    params:
        config=CONFIG,
    message:
        "Keep the completed configuration"
    script:
        "../scripts/keep_config.py"


rule workflow_report:
    input:
        [study_targets(study) for study in STUDIES.values()],
        config="results/{scale}/config.yaml",
    output:
        "reports/{scale}/workflow.html",
    log:
        "logs/{scale}/workflow_report.log",
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    params:
        targets=list(STUDIES),
    message:
        "Snakemake's own report, with captions and run times"
    shell:
        # A second Snakemake reads the records of the first, which holds the lock meanwhile.
        # It is this interpreter's, whether or not the environment is activated.
        f"{sys.executable} -m snakemake --nolock --configfile {{input.config}} --report {{output}} "
        "-- {params.targets} &> {log}"
