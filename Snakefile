# Entry point: `snakemake --cores 8 all`. What is run and what comes out is declared in
# workflow/studies; the rules are generic and stand in workflow/rules, one file a stage.
from snakemake.utils import min_version

min_version("9.20")


configfile: "config.yaml"


# Snakemake's linter asks for an environment of every rule. The environment is the one that
# `make` sets up from requirements.lock; this line matters only with `--sdm apptainer`.
container: "docker://python:3.11"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/convert.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/sweep.smk"
include: "workflow/rules/results.smk"
include: "workflow/rules/verdicts.smk"
include: "workflow/rules/reports.smk"


onstart:
    plan(
        PlannedJob(str(job.output[0]), known_minutes(job.benchmark), job.resources["runtime"])
        for job in workflow.dag.needrun_jobs()
        if job.rule.script
    )


rule all:
    default_target: True
    input:
        [study_targets(study) for study in STUDIES.values()],
        f"reports/{SCALE}/index.html",
        f"reports/{SCALE}/workflow.html",
