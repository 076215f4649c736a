# A short target for every study and every result: `snakemake --cores 8 thuesen2022_fig2a`.
for _study in STUDIES.values():

    rule:
        name:
            _study.name
        input:
            study_targets(_study),

    for _result in _study.results:

        rule:
            name:
                short_name(_study.name, _result)
            input:
                _study.result_files(_result),
