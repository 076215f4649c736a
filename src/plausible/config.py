"""The configuration: read, checked against its schema, and completed with the defaults.

A wrong configuration gives one sentence: where, what was found, what is allowed, and the nearest
known name. Run as a program, this module prints the reference of every key, or checks a file.
"""

import argparse
import copy
import difflib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml
from yaml.nodes import ScalarNode

from plausible.errors import ConfigError, DeviceError, PlausibleError
from plausible.yaml_files import number_meant, parse_yaml, read_yaml

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

EMBEDDED_DATA_SETS = (
    "digits",
    "mnist",
    "digits_thesis",
    "mnist_thesis",
    "breast_cancer",
    "newsgroups",
    "newsgroups_shuffled",
    "newsgroups_4to1",
    "recordings",
)
"""Data sets that need no entry under ``data.sets``."""

ROOT_VARIABLE = "PLAUSIBLE_ROOT"
"""Variable by which a Snakefile tells its jobs where the project lies."""
CODE_SWITCH = "__use_yte__"
"""Key by which Snakemake is asked to run the code in a configuration file."""

_TYPE_NAMES = {
    "array": "a list",
    "object": "a mapping of keys to values",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
_DESCRIBED = {
    *("type", "enum", "const", "anyOf", "oneOf", "pattern", "minLength"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    *("minItems", "maxItems", "minProperties"),
}


@cache
def _validator() -> type["Validator"]:
    """Kind of validator; imported here, because every job imports this module and few validate."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    # JSON Schema takes 1.0 for an integer; a seed or a count written so is more likely a slip.
    return extend(
        Draft202012Validator,
        type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
            "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
        ),
    )


def project_root() -> Path:
    """Folder of the Snakefile: of the one that runs, else working directory or package.

    Raises
    ------
    ConfigError
        If none of them holds ``workflow/schemas``.
    """
    named = os.environ.get(ROOT_VARIABLE)
    for folder in (*([Path(named)] if named else []), Path.cwd(), Path(__file__).parents[2]):
        if (folder / "workflow" / "schemas").is_dir():
            return folder.resolve()
    raise ConfigError(
        f"{Path.cwd()}: workflow/schemas was not found here; start in the folder of the Snakefile."
    )


def project_path(*parts: str) -> str:
    """Path in the project; relative where it is the working directory, as the records have it."""
    root = project_root()
    return str(Path(*parts) if root == Path.cwd().resolve() else root.joinpath(*parts))


def load_schema(root: str | Path | None = None) -> dict[str, Any]:
    """The schema of the configuration, of the project in ``root``."""
    root = Path(root) if root is not None else project_root()
    return read_yaml(root / "workflow" / "schemas" / "config.schema.yaml")


def load_config(
    config: Mapping[str, Any] | str | Path, root: str | Path | None = None
) -> dict[str, Any]:
    """Checked copy of ``config`` (a mapping, or the path of a YAML file), with every default.

    ``root`` is the folder of the Snakefile (default: `project_root`).

    Raises
    ------
    ConfigError
        If the file is missing or no YAML, or a key or a value is not allowed.
    DeviceError
        If ``device: cuda`` is asked for and torch has no GPU.
    """
    if not isinstance(config, Mapping):
        return load_configs([config], root=root)
    return _completed(config, Path(root) if root is not None else project_root())


def load_configs(
    files: Iterable[str | Path],
    stated: Mapping[str, Any] | None = None,
    root: str | Path | None = None,
    device_is_here: bool = True,
) -> dict[str, Any]:
    """The configuration of several files, each laid over those before it, and of a command line.

    ``stated`` is what ``--config`` gives to Snakemake, which hands over texts for all that stands
    in a list or a mapping; they are read as YAML would read them. Raises as `load_config`, but
    DeviceError only if ``device_is_here``.
    """
    root = Path(root) if root is not None else project_root()
    schema = load_schema(root)
    layers = [(_shown(file), _mapping(file)) for file in files]
    layers.append(("--config", _typed(dict(stated or {}))))
    merged: dict[str, Any] = {}
    for source, layer in layers:
        check_schema(layer, schema, source)
        _lay_over(merged, layer)
    source = " with ".join(source for source, layer in layers if layer)
    return _completed(merged, root, source or "The configuration", device_is_here)


def _completed(
    config: Mapping[str, Any],
    root: Path,
    source: str = "The configuration",
    device_is_here: bool = True,
) -> dict[str, Any]:
    schema = load_schema(root)
    check_schema(config, schema, source)
    completed = with_defaults(config, schema)
    _check_names(completed, root, source)
    if completed["device"] == "cuda" and device_is_here:
        _check_cuda()
    return completed


def _mapping(file: str | Path) -> dict[str, Any]:
    content = read_yaml(file)
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(
            f"{_shown(file)}: the file holds {_show(content)}, where keys with values are expected."
        )
    if CODE_SWITCH in content:
        raise ConfigError(
            f"{_shown(file)}: `{CODE_SWITCH}` makes Snakemake run the Python code in a "
            "configuration file; here it is data alone: delete the key and write the values."
        )
    return content


def _shown(file: str | Path) -> str:
    """A path as short as possible."""
    relative = os.path.relpath(file)
    return str(file) if relative.startswith("..") else relative


def _lay_over(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    for key, value in above.items():
        if isinstance(value, Mapping) and isinstance(below.get(key), dict):
            _lay_over(below[key], value)
        else:
            below[key] = copy.deepcopy(value)


def _typed(value: Any) -> Any:
    """Texts as what YAML takes them for."""
    if isinstance(value, Mapping):
        return {key: _typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    if not isinstance(value, str):
        return value
    tag = yaml.SafeLoader("").resolve(ScalarNode, value, (True, False)).rpartition(":")[2]
    return parse_yaml(value, "--config") if tag in ("int", "float", "bool", "null") else value


def check_schema(value: Any, schema: Mapping[str, Any], source: str) -> None:
    """Raise ConfigError with one sentence if ``value`` does not fit ``schema``.

    ``source`` says where the value stands, e.g. the name of a file; it starts the sentence.
    """
    errors = sorted(
        _validator()(schema).iter_errors(value), key=lambda error: [str(p) for p in error.path]
    )
    if errors:
        raise ConfigError(f"{source}: {_sentence(errors[0])}")


def with_defaults(value: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Copy of ``value`` in which every key that the schema gives a default is present."""
    completed = {key: copy.deepcopy(item) for key, item in value.items()}
    for key, part in schema.get("properties", {}).items():
        if key not in completed and "default" in part:
            completed[key] = copy.deepcopy(part["default"])
        if isinstance(completed.get(key), Mapping):
            completed[key] = with_defaults(completed[key], part)
    return completed


def nearest(name: Any, known: Iterable[str]) -> str:
    """`` (nearest: `x`)`` for the known name closest to ``name``, or nothing if none is close."""
    known = list(known)
    matches = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    return f" (nearest: `{matches[0]}`)" if matches else ""


def _path(parts: Iterable[Any]) -> str:
    """``data.sets.fashion`` or ``seeds[1]``."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else str(part)
    return text


def _show(value: Any) -> str:
    """A value as YAML would show it, in a few words."""
    if isinstance(value, str):
        return f"`{value}` (a text)"
    if value is None or isinstance(value, bool):
        return f"`{str(value).lower() if value is not None else 'null'}`"
    if isinstance(value, Mapping):
        return f"a mapping of {len(value)} keys" if value else "an empty mapping"
    if isinstance(value, list):
        return f"a list of {len(value)} entries" if value else "an empty list"
    return f"`{value}`"


def _sentence(error: "ValidationError") -> str:
    if error.context:  # of several alternatives, speak of the one in which most was right
        deepest = max(error.context, key=lambda inner: len(inner.absolute_path))
        if len(deepest.absolute_path) > len(error.absolute_path):
            return _sentence(deepest)
    place = _path(error.absolute_path)
    schema, found = error.schema, error.instance
    if error.validator == "additionalProperties":
        known = list(schema.get("properties", {}))
        unknown = min(str(key) for key in found if key not in known)
        where = f"under `{place}`" if place else "at the top level"
        return (
            f"`{_path([*error.absolute_path, unknown])}` is no known key; {where} there are "
            f"{', '.join(known)}{nearest(unknown, known)}."
        )
    if error.validator == "propertyNames" or "propertyNames" in error.absolute_schema_path:
        return (
            f"`{place}` holds the name {_show(found)}, where names of small letters, digits and _ "
            "are allowed, the first a letter."
        )
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in found)
        return (
            f"`{place}` lacks the key `{missing}`; found {', '.join(map(str, found)) or 'nothing'}"
            f"{nearest(missing, map(str, found))}."
        )
    if error.validator == "uniqueItems":
        return f"`{place}` names an entry twice: {found}; each may occur once."
    if error.validator not in _DESCRIBED:
        return f"`{place}` is not allowed: {error.message}."
    hint = nearest(found, map(str, schema["enum"])) if error.validator == "enum" else ""
    if isinstance(found, str) and {"number", "integer"} & {*_kinds(schema)}:
        hint = number_meant(found)
    return (
        f"`{place or 'the whole'}` is {_show(found)}, where {describe_allowed(schema)} is "
        f"allowed{hint}."
    )


def describe_allowed(schema: Mapping[str, Any]) -> str:
    """What a schema allows, in words: ``a whole number of at least 1 or null``."""
    if "enum" in schema:
        return " or ".join(_show_allowed(value) for value in schema["enum"])
    if "const" in schema:
        return _show_allowed(schema["const"])
    for alternatives in ("anyOf", "oneOf"):
        if alternatives in schema:
            return " or ".join(describe_allowed(part) for part in schema[alternatives])
    names = []
    for kind in _kinds(schema):
        name = _TYPE_NAMES[kind]
        if kind == "array" and "items" in schema:
            plural = {"string": "texts", "integer": "whole numbers", "number": "numbers"}
            items = schema["items"]
            entries = plural.get(items.get("type"), "entries") + _bounds(items)
            name = ("a list of different " if schema.get("uniqueItems") else "a list of ") + entries
            if schema.get("minItems"):
                name += f", at least {schema['minItems']}"
        elif kind in ("integer", "number"):
            name += _bounds(schema)
        elif kind == "string" and "pattern" in schema:
            name += f" of the form {schema['pattern']}"
        elif kind == "string" and schema.get("minLength"):
            name += " that is not empty"
        elif kind == "object" and schema.get("minProperties"):
            name += ", at least one"
        names.append(name)
    return " or ".join(names) or "anything"


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    kinds = schema.get("type", [])
    return [kinds] if isinstance(kinds, str) else kinds


def _show_allowed(value: Any) -> str:
    # YAML closes a document that is a bare value with a line of dots.
    text = yaml.safe_dump(value, default_flow_style=True).strip().removesuffix("...")
    return f"`{text.strip()}`"


def _bounds(schema: Mapping[str, Any]) -> str:
    words = {
        "minimum": "at least",
        "exclusiveMinimum": "more than",
        "maximum": "at most",
        "exclusiveMaximum": "less than",
    }
    limits = [
        f"{word} {'2^63 - 1' if schema[key] == 2**63 - 1 else schema[key]}"
        for key, word in words.items()
        if key in schema
    ]
    return f" of {' and '.join(limits)}" if limits else ""


def _check_names(config: Mapping[str, Any], root: Path, source: str) -> None:
    """Names that must exist: studies, data sets, the data folder."""
    studies = sorted(
        path.parent.name for path in (root / "workflow" / "studies").glob("*/study.yaml")
    )
    for position, study in enumerate(config["studies"]):
        if study not in studies:
            raise ConfigError(
                f"{source}: `studies[{position}]` is `{study}`, where the files of "
                f"workflow/studies are allowed: {', '.join(studies) or 'there is none'}"
                f"{nearest(study, studies)}."
            )
    data = config["data"]
    for name in data["sets"]:
        if name in EMBEDDED_DATA_SETS:
            raise ConfigError(
                f"{source}: `data.sets.{name}` has the name of a data set that the project "
                "itself holds; give yours another name."
            )
    known = [*EMBEDDED_DATA_SETS, *data["sets"]]
    if data["dataset"] is not None and data["dataset"] not in known:
        raise ConfigError(
            f"{source}: `data.dataset` is `{data['dataset']}`, where null or a data set is "
            f"allowed: {', '.join(known)}{nearest(data['dataset'], known)}."
        )
    if data["dir"] is not None and not os.path.isdir(os.path.expanduser(data["dir"])):
        raise ConfigError(
            f"{source}: `data.dir` is `{data['dir']}`, which is no folder on this machine; make "
            "it, correct the name, or use null for the user's cache."
        )


def _check_cuda() -> None:
    import torch  # costs more than a second, so only for those who ask for a GPU

    if not torch.cuda.is_available():
        raise DeviceError(
            f"`device` is `cuda`, but torch {torch.__version__} finds no GPU on this machine; "
            "install a torch with CUDA and its driver, or use `device: cpu`."
        )


class Key(NamedTuple):
    """One line of the reference."""

    name: str
    allowed: str
    unit: str
    default: str
    description: str


def reference(schema: Mapping[str, Any], prefix: str = "") -> list[Key]:
    """Every key of the configuration, nested ones with a dotted name."""
    keys = []
    for name, part in schema.get("properties", {}).items():
        default = _show_allowed(part["default"]) if "default" in part else "(required)"
        allowed = describe_allowed(part)
        keys.append(Key(prefix + name, allowed, part.get("unit", ""), default, part["description"]))
        keys += reference(part, f"{prefix}{name}.")
        free = part.get("additionalProperties")
        if isinstance(free, Mapping):
            keys += reference(free, f"{prefix}{name}.<name>.")
    return keys


def reference_table(schema: Mapping[str, Any]) -> str:
    """The reference as a Markdown table."""
    lines = ["| key | allowed | default | meaning |", "| --- | --- | --- | --- |"]
    for key in reference(schema):
        allowed = key.allowed + (f" [{key.unit}]" if key.unit else "")
        lines.append(f"| `{key.name}` | {allowed} | {key.default} | {key.description} |")
    return "\n".join(lines)


def check_arguments(words: Sequence[str]) -> None:
    """Refuse what is wrong with the configuration files in a command line of Snakemake.

    Snakemake reads them, and runs code in them, before it reads the Snakefile; so who starts it
    with the file of a stranger asks here first.

    Raises
    ------
    ConfigError
        If a word behind ``--configfile`` is no file, or a file is no mapping of known keys.
    """
    schema, taken = load_schema(), False
    for word in words:
        option, _, value = word.partition("=")
        if word.startswith("-"):
            taken = option in ("--configfile", "--configfiles")
            word = value
        if not (taken and word):
            continue
        if not Path(word).exists():
            raise ConfigError(
                f"--configfile takes all words up to the next option for files, and {word} is "
                "none; correct its name, or put a target before --configfile."
            )
        check_schema(_mapping(word), schema, word)


def main(arguments: list[str] | None = None) -> int:
    """Print the reference of every key, or check a file."""
    parser = argparse.ArgumentParser(
        prog="python -m plausible.config",
        description="Print every key of the configuration, or check a configuration file.",
    )
    parser.add_argument(
        "--check",
        metavar="FILE",
        help="check this file, and the studies and overrides that it names, instead of printing",
    )
    parser.add_argument(
        "--check-arguments",
        nargs=argparse.REMAINDER,
        metavar="WORD",
        help="check the configuration files in a command line of snakemake",
    )
    options = parser.parse_args(arguments)
    if options.check is None and options.check_arguments is None:
        print(reference_table(load_schema()))
        return 0
    try:
        if options.check_arguments is not None:
            check_arguments(options.check_arguments)
            return 0
        root = project_root()
        # The engine reads the studies; as a module, this one knows nothing of it.
        engine = import_module("plausible.reproduction.declaration")
        engine.load_studies(root / "workflow" / "studies", load_config(options.check, root))
    except PlausibleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{options.check}: valid")
    return 0


if __name__ == "__main__":
    sys.exit(main())
