"""Schemas of the study files: up to date, and of one mind with the check before each run."""

import copy

import jsonschema
import pytest

from plausible.reproduction.schemas import part_schema, schemas, study_schema
from plausible.reproduction.study_files import study_files
from plausible.yaml_files import read_yaml


@pytest.fixture(scope="module")
def table1(project_root):
    content = read_yaml(project_root / "workflow/studies/thuesen2022/table1.yaml")
    return content, part_schema("thuesen2022", "table1", content)


def test_the_schemas_in_the_project_are_those_of_the_types(project_root):
    made = schemas(project_root)
    assert len(made) > 15
    for path, text in made.items():
        assert path.is_file() and path.read_text() == text, (
            f"{path} is outdated; run `make schemas`"
        )


def test_every_study_file_fits_its_schema_and_names_it(project_root):
    for folder in (project_root / "workflow/studies").iterdir():
        for file in study_files(folder):
            content = read_yaml(file)
            own = file.stem == "study"
            schema = study_schema() if own else part_schema(folder.name, file.stem, content)
            jsonschema.Draft202012Validator.check_schema(schema)
            jsonschema.validate(content, schema)
            named = f"$schema=../../schemas/studies/{folder.name}/{file.stem}.json"
            assert named in file.read_text().splitlines()[0], f"{file}: name {named} in line 1"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d["train"]["snn"]["settings"].update(optimizer="adm"),
        lambda d: d["train"]["snn"]["scales"]["demo"].update(learning_rte=1),
        lambda d: d["sweep"]["fig6"].update(setings={}),
        lambda d: d["sweep"]["fig6"]["settings"].update(digt=3),
        lambda d: d["sweep"]["fig6"]["settings"].update(shard=3),
        lambda d: d["sweep"]["input_rate"]["scales"]["demo"].update(images=0),
        lambda d: d.update(swep={}),
    ],
)
def test_a_slip_does_not_fit(table1, spoil):
    content, schema = table1
    content = copy.deepcopy(content)
    spoil(content)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, schema)
