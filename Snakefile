# Entry point: `snakemake --cores 8 all`. Another workflow takes workflow/Snakefile as a module.
include: "workflow/Snakefile"


rule all:
    default_target: True
    input:
        rules.targets.input,
