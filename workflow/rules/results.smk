# Every result, part and study is a target of its own: `snakemake --cores 8 thuesen2022_fig2a`. One job
# makes all that a result consists of: its tidy table, its picture and its readable table.
for _study in STUDIES.values():

    rule:
        name:
            _study.name
        input:
            study_targets(_study),

    for _group, _members in _study.groups().items():

        rule:
            name:
                _group
            input:
                [_study.result_files(_result) for _result in _members],

    for _result in _study.results:
        _own = own_files(_study, _result)
        if not _own:

            # Its numbers stand in the table of another result.
            rule:
                name:
                    short_name(_study.name, _result)
                input:
                    _study.result_files(_result),

            continue

        rule:
            name:
                short_name(_study.name, _result)
            input:
                tables=result_tables(_study, _result),
                published=published(_study.name, *result_parts(_study, _result)),
                curves=published_curves(_study.name) if "svg" in _own else [],
            output:
                **reported(_study.name, _result, _own),
            log:
                f"logs/{SCALE}/{_study.name}/result/{_result}.log",
            benchmark:
                f"results/{SCALE}/benchmarks/{_study.name}/result/{_result}.tsv"
            localrule: True
            threads: 1
            resources:
                mem_mb=growing(1000),
                runtime=growing(5),
                gpu=0,
            params:
                study=_study.name,
                result=_result,
                # How many of the tables come from each source.
                sources={
                    source: len(files) for source, files in _study.result_inputs(_result).items()
                },
                options=_study.results[_result].get("options", {}),
                functions=result_functions(_study, _result),
                shows=_study.results[_result].get("published", _result),
                dataset=_study.dataset,
                parts=list(result_parts(_study, _result)),
                code=result_code(_study, _result),
            message:
                f"Result {_study.name}.{_result}"
            script:
                "../scripts/make_result.py"
