"""A finished run as one file to publish: results, reports, where they come from, and the project.

The archive is an RO-Crate (https://www.researchobject.org/ro-crate/), a zip with a description that
machines read, and holds the SHA-256 of every file in it. Equal content gives equal bytes. Checking
one needs nothing but this package: its files against their checksums and its provenance, and its
verdicts against those that its tables get now.

Run as a program: ``make archive``, ``make verify ARCHIVE=file.zip``.
"""

import argparse
import hashlib
import json
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pandas as pd
import yaml

from plausible.config import load_config, project_root
from plausible.errors import PlausibleError, StudyError
from plausible.files import atomic_path, sha256_of
from plausible.reproduction.declaration import Study
from plausible.reproduction.entries import entry_verdicts
from plausible.reproduction.listing import read_study
from plausible.reproduction.machine import git_state
from plausible.reproduction.provenance import recorded_checksum
from plausible.reproduction.published import load_published, published_folder
from plausible.reproduction.reference import run_configuration
from plausible.reproduction.reference_sources import JUDGED, files_of
from plausible.reproduction.verdicts import verdict_table
from plausible.yaml_files import read_yaml

METADATA, MANIFEST = "ro-crate-metadata.json", "manifest-sha256.txt"
PROJECT = (
    *("Snakefile", "Makefile", "config.yaml", "pyproject.toml", "requirements.lock"),
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "CITATION.cff"),
    *("src", "workflow", "profiles"),
)
"""What of the project belongs to a run."""
LEFT_OUT = ("__pycache__", "plausible.egg-info", "checkpoints", "benchmarks")
TYPES = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".ipynb": "application/x-ipynb+json",
    ".json": "application/json",
    ".md": "text/markdown",
    ".png": "image/png",
    ".py": "text/x-python",
    ".svg": "image/svg+xml",
    ".yaml": "application/yaml",
}
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The first date that a zip file knows: times of files say nothing about a result."""


class Finding(NamedTuple):
    """What was found in an archive."""

    files: int
    problems: list[str]
    verdicts: dict[str, int]
    """Number of verdicts that the tables got again, by study."""


def make_archive(root: str | Path, scale: str, output: str | Path, networks: bool = False) -> Path:
    """Write the finished run at ``scale`` of the project in ``root`` to ``output`` (.zip).

    ``networks`` also takes trained networks and prepared data.

    Raises
    ------
    StudyError
        If a study of the run is not finished, or a file is not the one that was made.
    """
    root, output = Path(root), Path(output)
    config = run_configuration(root, scale)
    studies = [read_study(root, name, config) for name in config["studies"]]
    for study in studies:
        files_of(root, study)
    files = {path.relative_to(root).as_posix(): path for path in _files(root, scale, networks)}
    for name, path in files.items():
        recorded = recorded_checksum(path)
        if recorded and recorded != sha256_of(path):
            raise StudyError(
                f"{name}: the file is not the one that its provenance describes; run snakemake "
                "again, which makes it anew."
            )
    sums = {name: sha256_of(path) for name, path in files.items()}
    texts = {METADATA: _metadata(root, scale, studies, sums)}
    sums[METADATA] = hashlib.sha256(texts[METADATA].encode()).hexdigest()
    texts[MANIFEST] = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    with atomic_path(output) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in sorted([*files, *texts]):
            entry = zipfile.ZipInfo(f"{output.stem}/{name}", _LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            content = texts[name].encode() if name in texts else files[name].read_bytes()
            archive.writestr(entry, content, compresslevel=9)
    return output


def _files(root: Path, scale: str, networks: bool) -> Iterator[Path]:
    places = [root / name for name in PROJECT]
    places += [root / "results" / scale, root / "reports" / scale]
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            inner = path.relative_to(root).parts
            hidden = any(part.startswith(".") or part in LEFT_OUT for part in inner)
            model = path.name.endswith((".npz", ".npz.json", ".changed"))
            if path.is_file() and not hidden and (networks or not model):
                yield path


def _metadata(root: Path, scale: str, studies: list[Study], sums: Mapping[str, str]) -> str:
    """Description of the archive, RO-Crate 1.1 with the profile of workflow runs."""
    citation = read_yaml(root / "CITATION.cff")
    state = git_state()
    files = [
        {
            "@id": name,
            "@type": "File",
            "sha256": digest,
            "encodingFormat": TYPES.get(PurePosixPath(name).suffix, "text/plain"),
        }
        for name, digest in sorted(sums.items())
    ]
    parts = [{"@id": entry["@id"]} for entry in files]
    results = [part for part in parts if part["@id"].startswith(("results/", "reports/"))]
    for entry in files:
        if entry["@id"] == "Snakefile":
            entry["@type"] = ["File", "SoftwareSourceCode", "ComputationalWorkflow"]
            entry |= {"name": citation["title"], "programmingLanguage": {"@id": "#snakemake"}}
    sources = [
        {
            "@id": f"#source-{number}",
            "@type": "CreativeWork",
            "name": " ".join(source["title"].split()),
            "creator": [
                " ".join(filter(None, [one.get("given-names"), one.get("family-names")]))
                or one.get("name", "")
                for one in source["authors"]
            ],
            "datePublished": str(source["year"]),
        }
        for number, source in enumerate(citation["references"])
    ]
    root_entry = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"{citation['title']}: a run at the {scale} scale",
        "description": " ".join(citation["abstract"].split()),
        "license": {"@id": f"https://spdx.org/licenses/{citation['license']}"},
        "author": {"@id": "#authors"},
        "version": str(citation["version"]),
        "keywords": citation["keywords"],
        "citation": [{"@id": source["@id"]} for source in sources],
        "conformsTo": {"@id": "https://w3id.org/ro/wfrun/workflow/0.5"},
        "mainEntity": {"@id": "Snakefile"},
        "mentions": {"@id": "#run"},
        "hasPart": parts,
    }
    run = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": f"snakemake --cores 8 all --configfile results/{scale}/config.yaml",
        "instrument": {"@id": "Snakefile"},
        "object": [{"@id": f"results/{scale}/config.yaml"}, {"@id": "requirements.lock"}],
        "result": results,
        "description": (
            f"Studies {', '.join(study.name for study in studies)}; archived at the commit "
            f"{state['git_commit'] or 'unknown'}"
            f"{'' if state['git_clean'] else ', with uncommitted changes'}. The provenance beside "
            "every result (<file>.json) names the commit, settings, seeds, versions, machine, time "
            "and inputs that made it."
        ),
    }
    graph = [
        {
            "@id": METADATA,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        },
        root_entry,
        {"@id": "#authors", "@type": "Organization", "name": citation["authors"][0]["name"]},
        {
            "@id": "#snakemake",
            "@type": "ComputerLanguage",
            "name": "Snakemake",
            "url": "https://snakemake.github.io",
        },
        run,
        *sources,
        *files,
    ]
    crate = {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}
    return json.dumps(crate, indent=1, ensure_ascii=False) + "\n"


def verify_archive(path: str | Path) -> Finding:
    """Check every file of an archive, its provenance, and its verdicts against its tables.

    Raises
    ------
    StudyError
        If it is no archive of a run.
    """
    with tempfile.TemporaryDirectory(prefix="plausible-archive-") as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                archive.extractall(folder)
            (root,) = Path(folder).iterdir()
            manifest = (root / MANIFEST).read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise StudyError(f"{path}: this is no archive of a run ({error}).") from None
        stated = {name: digest for digest, _, name in (line.partition("  ") for line in manifest)}
        there = {
            file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file()
        } - {MANIFEST}
        problems = [f"{name}: missing" for name in sorted(stated.keys() - there)]
        problems += [f"{name}: not in {MANIFEST}" for name in sorted(there - stated.keys())]
        for name in sorted(there & stated.keys()):
            digest = sha256_of(root / name)
            if digest != stated[name]:
                problems.append(f"{name}: another checksum than in {MANIFEST}")
            elif (recorded := recorded_checksum(root / name)) and recorded != digest:
                problems.append(f"{name}: another checksum than in its provenance")
        verdicts = {}
        if not problems:
            (kept,) = root.glob("results/*/config.yaml")
            content = read_yaml(kept)
            content["data"]["dir"] = None  # a folder of the machine that made it
            config = load_config({**content, "device": "cpu"}, root)
            for name in config["studies"]:
                study = read_study(root, name, config)
                different, count = _judged_again(root, study)
                problems += different
                verdicts[name] = count
        return Finding(len(there), problems, verdicts)


def _judged_again(root: Path, study: Study) -> tuple[list[str], int]:
    """Verdicts that differ when the tables of an archive are judged now, and how many there are."""
    published = load_published(published_folder(study.name, root), study.parts)
    folder = root / study.folder
    tables = {name: pd.read_csv(folder / f"{name}.csv") for name in study.own_tables()}
    verdicts = verdict_table(
        study.name, tables, study.scale, published, comparable=study.as_declared()
    )
    problems = []
    for name, made in zip(JUDGED, (verdicts, entry_verdicts(verdicts, published)), strict=True):
        if made.to_csv(index=False) != (folder / f"{name}.csv").read_text(encoding="utf-8"):
            problems.append(f"{study.folder}/{name}.csv: the tables get other verdicts now")
    return problems, len(verdicts)


def main(arguments: list[str] | None = None) -> int:
    """Make an archive, or check one."""
    parser = argparse.ArgumentParser(
        prog="python -m plausible.reproduction.archive",
        description="Put a finished run into one file to publish, or check such a file.",
    )
    parser.add_argument("--scale", default="paper", help="scale of the run (default: paper)")
    parser.add_argument("--output", help="file to write (default: plausible-<scale>.zip)")
    parser.add_argument(
        "--networks", action="store_true", help="also trained networks and prepared data"
    )
    parser.add_argument("--verify", metavar="FILE", help="check this archive instead")
    options = parser.parse_args(arguments)
    try:
        if options.verify is None:
            output = options.output or f"plausible-{options.scale}.zip"
            made = make_archive(project_root(), options.scale, output, options.networks)
            print(f"{made}: {made.stat().st_size / 1e6:.1f} MB, SHA-256 {sha256_of(made)}")
            return 0
        found = verify_archive(options.verify)
    except (PlausibleError, yaml.YAMLError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for problem in found.problems:
        print(f"error: {problem}", file=sys.stderr)
    judged = ", ".join(f"{count} of {name}" for name, count in found.verdicts.items())
    state = "damaged" if found.problems else "as it was made"
    print(f"{options.verify}: {found.files} files, {state}; verdicts judged again: {judged or 0}")
    return 1 if found.problems else 0


if __name__ == "__main__":
    sys.exit(main())
