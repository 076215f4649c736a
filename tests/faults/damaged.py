"""Damage to what the workflow has written: results, networks, checkpoints, published files."""

import io
import pickle
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from .harness import (
    CONFIG,
    RESULTS,
    RUN,
    SCALE,
    STUDY,
    Base,
    Files,
    Outcome,
    forked,
    judge,
    script,
    sha256,
)

KIND = "damaged file"
DIGITS = f"results/{SCALE}/data/digits.npz"
NETWORK = f"{RESULTS}/train/{RUN}.npz"
HISTORY = f"{RESULTS}/train/{RUN}.csv"
TABLE = f"{RESULTS}/fig2c.csv"
PUBLISHED = f"workflow/published/{STUDY}/neurons.yaml"
RECOVERED = "workflow/published/recovered.yaml"
CHECKPOINT = f"{RESULTS}/checkpoints/x/seed0.npz"
Change = Callable[[Path], Any]


def jobs() -> dict[str, tuple[Callable[[], Any], str]]:
    """Scripts with what their rules give them, and the output of each that must not be left."""
    from plausible.config import load_config
    from plausible.reproduction.declaration import load_study

    def study():
        config = load_config({"data": {}, **CONFIG}, ".")
        return load_study(f"workflow/studies/{STUDY}", config), config

    def train() -> None:
        found, config = study()
        run, protocol, shard = RUN.split(".")
        params = Files(
            settings=found.training_settings(run, protocol),
            seed_group=found.seed_group(run),
            seeds=[0, 1, 2],
            device="cpu",
            checkpoints=str(Path(CHECKPOINT).parent),
        )
        names = Files(run=run, protocol=protocol, shard=shard, study=STUDY, scale=SCALE)
        outputs = Files(network=NETWORK, history=HISTORY)
        script("train", Files(data=DIGITS), outputs, params, names, config)()

    def convert() -> None:
        outputs = Files(f"{RESULTS}/convert/{RUN}.npz")
        names = Files(study=STUDY, scale=SCALE)
        script("convert_network", Files(network=NETWORK), outputs, Files(), names, {})()

    def result(name: str, *kinds: str) -> Callable[[], None]:
        def make() -> None:
            found, config = study()
            sources = found.result_inputs(name)
            tables = sum(sources.values(), [])
            functions = {
                key: list(place)
                for key in ("table", "figure")
                if (place := found.function(name, key)) is not None
            }
            params = Files(
                study=STUDY,
                result=name,
                sources={source: len(files) for source, files in sources.items()},
                options={},
                functions=functions,
                shows=name,
                dataset="digits",
                parts=[found.part_of["results", name]],
            )
            outputs = Files(**{kind: f"{RESULTS}/{name}.{kind}" for kind in kinds})
            inputs = Files(tables=tables, published=[], curves=[])
            script("make_result", inputs, outputs, params, Files(study=STUDY), config)()

        return make

    def judge_results() -> None:
        params = Files(results=["fig2c"], comparable=False, parts=["neurons"])
        outputs = Files(verdicts=f"{RESULTS}/verdicts.csv", entries=f"{RESULTS}/entries.csv")
        names = Files(study=STUDY, scale=SCALE)
        script("judge_results", Files(tables=[TABLE]), outputs, params, names, CONFIG)()

    return {
        "train": (train, HISTORY),
        "convert": (convert, f"{RESULTS}/convert/{RUN}.npz"),
        "fig5": (result("fig5", "csv", "svg", "png"), f"{RESULTS}/fig5.csv"),
        "fig2c": (result("fig2c", "csv", "svg", "png"), f"{RESULTS}/fig2c.svg"),
        "judge": (judge_results, f"{RESULTS}/verdicts.csv"),
    }


def put(path: str, content: bytes | str) -> Change:
    def change(folder: Path) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content if isinstance(content, bytes) else content.encode())

    return change


def edit(path: str, how: Callable[[bytes], bytes]) -> Change:
    return lambda folder: (folder / path).write_bytes(how((folder / path).read_bytes()))


def remove(path: str) -> Change:
    return lambda folder: (folder / path).unlink()


def without(path: str, words: str) -> Change:
    """An archive of arrays less those whose names hold ``words``."""

    def change(folder: Path) -> None:
        with np.load(folder / path) as archive:
            kept = {name: archive[name] for name in archive.files if words not in name}
        np.savez(folder / path, **kept)

    return change


def table_damages(path: str) -> dict[str, Change]:
    def number(content: bytes) -> bytes:
        lines = content.decode().splitlines()
        lines[5] = ",".join([*lines[5].split(",")[:-1], "abc"])
        return "\n".join(lines).encode()

    def other_digit(content: bytes) -> bytes:
        return re.sub(rb"(\.\d)(\d)", lambda m: m[1] + b"%d" % (9 - int(m[2])), content, count=1)

    return {
        "empty": put(path, b""),
        "only a newline": put(path, b"\n"),
        "header only": edit(path, lambda t: t.splitlines()[0] + b"\n"),
        "cut in a line": edit(path, lambda t: t[: len(t) // 2 - 3]),
        "a row missing": edit(path, lambda t: b"\n".join(t.splitlines()[:-1]) + b"\n"),
        "binary": put(path, bytes(range(256))),
        "column missing": edit(path, lambda t: re.sub(rb"(?m)^[^,]*,", b"", t)),
        "text for a number": edit(path, number),
        "a digit changed": edit(path, other_digit),
        "Latin-1": edit(path, lambda t: t + b"\xfc\xfc\n"),
    }


class _Evil:
    def __reduce__(self):
        return exec, ("open('PWNED', 'w')",)


def _pickled_zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("_text.npy", b"\x93NUMPY\x01\x00" + pickle.dumps(_Evil()))
    return stream.getvalue()


def published(how: Callable[[dict[str, Any]], Any]) -> Change:
    def change(folder: Path) -> None:
        content = yaml.safe_load((folder / PUBLISHED).read_text())
        how(content)
        (folder / PUBLISHED).write_text(yaml.safe_dump(content, sort_keys=False))

    return change


def cases() -> Iterator[tuple[str, str, Change, tuple[str, ...], str]]:
    """Name, job, damage, words, and what is to come of it."""
    middle = 60_000
    data = {
        "cut": edit(DIGITS, lambda t: t[:5000]),
        "empty": put(DIGITS, b""),
        "garbage": put(DIGITS, b"x" * 999),
        "a byte changed": edit(
            DIGITS, lambda t: t[:middle] + bytes([t[middle] ^ 255]) + t[middle + 1 :]
        ),
        "missing": remove(DIGITS),
        "text": put(DIGITS, b"hello"),
    }
    for name, change in data.items():
        yield f"data {name}", "train", change, ("digits.npz",), "error"
    networks = {
        "cut": edit(NETWORK, lambda t: t[:3000]),
        "empty": put(NETWORK, b""),
        "garbage": put(NETWORK, b"x" * 99),
        "missing": remove(NETWORK),
        "pickle": put(NETWORK, pickle.dumps(_Evil())),
        "an array missing": without(NETWORK, "bias.1"),
        "weights missing": without(NETWORK, "weight"),
    }
    for name, change in networks.items():
        yield f"network {name}", "convert", change, (f"{RUN}.npz",), "error"
    for name, change in table_damages(HISTORY).items():
        yield f"history {name}", "fig5", change, (f"{RUN}.csv",), "error"
    yield "history missing", "fig5", remove(HISTORY), (f"{RUN}.csv",), "error"
    for name, change in table_damages(TABLE).items():
        yield f"table {name}", "judge", change, ("fig2c.csv",), "error"
    files = {
        "empty": put(PUBLISHED, b""),
        "broken": edit(PUBLISHED, lambda t: t + b"\nx: [\n"),
        "missing": remove(PUBLISHED),
        "cut": edit(PUBLISHED, lambda t: t[: len(t) // 2]),
        "Latin-1": edit(PUBLISHED, lambda t: t + b"# \xfc\n"),
        "list": put(PUBLISHED, b"- a\n"),
        "id twice": published(lambda d: d["results"].insert(1, dict(d["results"][0]))),
        "id of another": published(lambda d: d["results"][0].update(id="song2020.x")),
        "key unknown": published(lambda d: d["results"][0].update(nosuch=1)),
        "key twice": edit(PUBLISHED, lambda t: t.replace(b"  kind:", b"  kind: x\n  kind:", 1)),
        "python tag": edit(
            PUBLISHED, lambda t: t + b"\nx: !!python/object/apply:os.system ['touch PWNED']\n"
        ),
    }
    for name, change in files.items():
        yield f"published {name}", "judge", change, ("neurons",), "error"
    yield "recovered broken", "judge", put(RECOVERED, "x: ["), ("recovered",), "error"
    yield "recovered empty", "judge", put(RECOVERED, ""), ("recovered",), "error"
    checkpoints = {
        "empty": b"",
        "garbage": b"x" * 5000,
        "pickle": pickle.dumps(_Evil()),
        "pickle in a zip": _pickled_zip(),
        "zip of nothing": b"PK\x05\x06" + b"\0" * 18,
        "text": b"hello",
    }
    for name, content in checkpoints.items():
        yield f"checkpoint {name}", "train", put(CHECKPOINT, content), (), "same"
    yield (
        "checkpoint is a folder", "train",
        lambda folder: (folder / CHECKPOINT).mkdir(parents=True), ("seed0.npz",), "either",
    )  # fmt: skip


def faults(base: Base) -> Iterator[Outcome]:
    """Every damage, met by the job that reads the file."""
    import matplotlib.figure  # noqa: F401 - once, and not in every fork
    import pandas  # noqa: F401
    import seaborn  # noqa: F401
    import torch

    import plausible.reproduction.train  # noqa: F401
    import plausible.reproduction.verdicts  # noqa: F401

    torch.set_num_threads(1)
    calls = jobs()
    for number, (name, job, change, words, expected) in enumerate(cases()):
        folder = _copy(base, f"damaged-{number}")
        call, output = calls[job]
        for path in (output, f"{output}.json"):
            (folder / path).unlink(missing_ok=True)
        change(folder)
        ended = forked(call, folder)
        if list(folder.rglob("PWNED")):
            yield Outcome(KIND, name, "wrong", "code of the file was executed")
        elif expected == "same":
            yield _same(base, folder, name, ended)
        else:
            left = [folder / output] if expected == "error" else []
            yield judge(KIND, name, ended, words, expected, left)
        shutil.rmtree(folder)
    yield from _altered_checkpoints(base, calls["train"][0])


def _copy(base: Base, name: str) -> Path:
    folder = base.work / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for part in ("workflow", "results"):
        subprocess.run(["cp", "-a", str(base.folder / part), str(folder)], check=True)
    return folder


def _same(base: Base, folder: Path, name: str, ended: Any) -> Outcome:
    if ended.code != 0:
        return Outcome(KIND, name, "unclear", ended.sentence)
    if any(sha256(folder / path) != sha256(base.folder / path) for path in (HISTORY, NETWORK)):
        return Outcome(KIND, name, "lost", "another result than without the damage")
    told = [line for line in ended.said.splitlines() if "checkpoint" in line]
    return Outcome(KIND, name, "ok", told[0] if told else "goes on")


def _altered_checkpoints(base: Base, train: Callable[[], Any]) -> Iterator[Outcome]:
    """Alterations of a checkpoint that a kill left behind: never wrong results."""
    source = _copy(base, "checkpoint")
    for limit_s in (0.3, 0.5, 0.8, 1.2, 2.0, 3.0, 5.0, 8.0):
        for path in (HISTORY, NETWORK):
            (source / path).unlink(missing_ok=True)
        forked(train, source, limit_s=limit_s)
        left = sorted((source / CHECKPOINT).parent.glob("*.npz"))
        if left:
            break
    else:
        yield Outcome(KIND, "altered checkpoints", "unclear", "harness: no kill left a checkpoint")
        return
    place = left[-1].relative_to(source)

    def arrays(how: Callable[[dict[str, Any]], Any]) -> Change:
        def change(folder: Path) -> None:
            with np.load(folder / place) as archive:
                content = dict(archive)
            how(content)
            np.savez(folder / place, **content)

        return change

    def bit(share: float) -> Change:
        def flip(content: bytes) -> bytes:
            at = int(len(content) * share)
            return content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :]

        return edit(str(place), flip)

    def words(old: str, new: str) -> Callable[[dict[str, Any]], Any]:
        return lambda c: c.update(_text=np.array(str(c["_text"]).replace(old, new, 1)))

    def first(content: dict[str, Any], change: Callable[[Any], Any]) -> None:
        name = next(name for name in sorted(content) if name.startswith("weight"))
        content[name] = change(content[name])

    alterations = {
        "an array missing": arrays(lambda c: c.pop("bias.0")),
        "another shape": arrays(lambda c: first(c, lambda a: a[:1])),
        "another type": arrays(lambda c: first(c, lambda a: a.astype("f4"))),
        "other values": arrays(lambda c: first(c, lambda a: a * 1.001)),
        "not numbers": arrays(lambda c: first(c, lambda a: a * np.nan)),
        "epochs a text": arrays(words('"epochs_done": ', '"epochs_done": "x", "y": ')),
        "too many epochs": arrays(words('"epochs_done": ', '"epochs_done": 9')),
        "cut": edit(str(place), lambda t: t[: len(t) // 2]),
        "bit at 0.2": bit(0.2),
        "bit at 0.5": bit(0.5),
        "bit at 0.8": bit(0.8),
        "as it was": lambda folder: None,
    }
    for number, (name, change) in enumerate(alterations.items()):
        folder = base.work / f"altered-{number}"
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(["cp", "-a", str(source), str(folder)], check=True)
        change(folder)
        yield _same(base, folder, f"checkpoint {name}", forked(train, folder))
        shutil.rmtree(folder)
