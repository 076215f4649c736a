# Run times, executed notebooks, the index page and Snakemake's own report.
rule collect_run_times:
    input:
        lambda wildcards: study_results(study_of(wildcards)),
    output:
        "results/{scale}/{study}/runtimes.csv",
    log:
        "logs/{scale}/{study}/runtimes.log",
    localrule: True
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(5),
        gpu=0,
    params:
        code=source_digest("plausible.reproduction.runtimes"),
    message:
        "Run times and peak memory of every result of {wildcards.study}"
    script:
        "../scripts/collect_run_times.py"


# The pages of a report are those of the study's own parts, so every study has a rule of its own.
for _study in STUDIES.values():

    rule:
        name:
            f"{_study.name}_report"
        input:
            results=study_results(_study),
            runtimes=f"{_study.folder}/runtimes.csv",
            config=f"results/{SCALE}/config.yaml",
            templates=own(_study.notebooks),
            published=published(_study.name, *_study.parts),
            study=own(study_files(project_path("workflow", "studies", _study.name))),
            reasons=reasons(_study),
            # The committed reference run, where there is one, is a further column.
            reference=reference_files(_study.name),
        output:
            notebook=f"reports/{SCALE}/{_study.name}.ipynb",
            html=report(
                list(_study.pages.values()),
                caption="../report/notebook.rst",
                category=_study.name,
                subcategory="report",
                labels={"result": "executed report"},
            ),
        log:
            f"logs/{SCALE}/{_study.name}/notebook.log",
        benchmark:
            f"results/{SCALE}/benchmarks/{_study.name}/notebook.tsv"
        threads: 1
        resources:
            mem_mb=growing(1500),
            runtime=growing(10),
            gpu=0,
        params:
            study=_study.name,
            scale=SCALE,
            pages=list(_study.pages.values()),
            terms=_study.terms,
            code=report_code(_study),
        message:
            f"Report of {_study.name}"
        script:
            "../scripts/execute_notebook.py"


rule write_index:
    input:
        verdicts="results/{scale}/verdicts.csv",
        entries="results/{scale}/entries.csv",
        studies=own(
            path
            for study in STUDIES
            for path in study_files(project_path("workflow", "studies", study))
        ),
        runtimes=[f"results/{{scale}}/{study}/runtimes.csv" for study in STUDIES],
        reports=[page for study in STUDIES.values() for page in study.pages.values()],
    output:
        "reports/{scale}/index.html",
    log:
        "logs/{scale}/index.log",
    benchmark:
        "results/{scale}/benchmarks/index.tsv"
    localrule: True
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(5),
        gpu=0,
    params:
        comparable={name: study.as_declared() for name, study in STUDIES.items()},
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
    localrule: True
    threads: 1
    resources:
        mem_mb=growing(200),
        runtime=growing(5),
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
    localrule: True
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
        gpu=0,
    params:
        targets=list(STUDIES),
    message:
        "Snakemake's own report, with captions and run times"
    shell:
        # A second Snakemake reads the records of the first, which holds the lock meanwhile.
        # It is this interpreter's, whether or not the environment is activated.
        f"{sys.executable} -m snakemake --snakefile {shlex.quote(project_path('Snakefile'))} "
        "--nolock --configfile {input.config} --report {output} "
        "-- {params.targets} &> {log}"
