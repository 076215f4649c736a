"""Write the completed configuration, which can be laid over config.yaml again."""

from plausible.reproduction.provenance import job

with job(snakemake) as run:
    import yaml

    from plausible.files import write_text

    with run.output(0) as path:
        write_text(path, yaml.safe_dump(dict(snakemake.params.config), sort_keys=False))
