"""Faults of study files: all of them have to be found before the first job."""

import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import yaml

from .harness import STUDY, Base, Outcome, forked, judge

KIND = "study file"


class Edit(NamedTuple):
    """What is done to a file of a study, and what is to be said of it."""

    file: str
    change: Callable[[str], str | bytes | None]
    words: tuple[str, ...]
    expected: str = "error"


def content(file: str, *words: str, expected: str = "error"):
    """An edit of what a file means, by a function of its mapping."""

    def made(change: Callable[[dict[str, Any]], Any]) -> Edit:
        def text(before: str) -> str:
            mapping = yaml.safe_load(before)
            change(mapping)
            return yaml.safe_dump(mapping, sort_keys=False)

        return Edit(file, text, words, expected)

    return made


def text(file: str, change: Callable[[str], Any], *words: str, expected: str = "error") -> Edit:
    """An edit of the letters of a file."""
    return Edit(file, change, words, expected)


def _demo(mapping: dict[str, Any]) -> dict[str, Any]:
    return mapping["scales"]["demo"]


EDITS: dict[str, Edit] = {
    "experiment unknown": content("neurons", "nosuch")(
        lambda d: d["sweep"]["fig2c"].update(experiment="nosuch")
    ),
    "experiment of an unknown file": content("neurons", "nosuch")(
        lambda d: d["sweep"]["fig2c"].update(experiment="nosuch.fig2c")
    ),
    "protocol unknown": content("learning", "as_codd", "as_coded")(
        lambda d: d["train"]["fig5_zil"].update(only_protocols=["as_codd"])
    ),
    "title missing": content("learning", "title")(lambda d: d["train"]["fig5_zil"].pop("title")),
    "section unknown": content("neurons", "sweeps")(lambda d: d.update(sweeps=d.pop("sweep"))),
    "section null": content("neurons", "sweep")(lambda d: d.update(sweep=None)),
    "result of an unknown sweep": content("neurons", "fig33")(
        lambda d: d["results"]["fig2c"].update({"from": {"sweep": ["fig33"]}})
    ),
    "result of an unknown run": content("learning", "fig5_zill", "fig5_zil")(
        lambda d: d["results"]["fig5"].update({"from": {"train": ["fig5_zill"]}})
    ),
    "data undefined": content("neurons", "fig22a")(
        lambda d: d["results"]["draft.fig3"].update(data="fig22a")
    ),
    "data in a circle": content("neurons", "x.a")(
        lambda d: d["results"].update(
            {"x.a": {"title": "t", "data": "x.b"}, "x.b": {"title": "t", "data": "x.a"}}
        )
    ),
    "data of itself": content("neurons", "draft.fig3")(
        lambda d: d["results"]["draft.fig3"].update(data="draft.fig3")
    ),
    "from and data": content("neurons", "draft.fig3")(
        lambda d: d["results"]["draft.fig3"].update({"from": {"sweep": ["fig2a"]}})
    ),
    "neither from nor data": content("neurons", "draft.fig3")(
        lambda d: d["results"]["draft.fig3"].pop("data")
    ),
    "from empty": content("neurons", "fig2c")(lambda d: d["results"]["fig2c"].update({"from": {}})),
    "shards 0": content("neurons", "shards")(
        lambda d: d["sweep"]["fig2c"].update(shards={"demo": 0})
    ),
    "shards negative": content("neurons", "shards")(
        lambda d: d["sweep"]["fig2c"].update(shards={"demo": -2})
    ),
    "shards text": content("neurons", "shards")(
        lambda d: d["sweep"]["fig2c"].update(shards={"demo": "two"})
    ),
    "shards of an unknown scale": content("neurons", "dmo")(
        lambda d: d["sweep"]["fig2c"].update(shards={"dmo": 2})
    ),
    "shards of what cannot be divided": content("neurons", "shards", "divided")(
        lambda d: d["sweep"]["fig2c"].update(shards={"demo": 2})
    ),
    "setting unknown": content("study", "dropoutt", "dropout")(
        lambda d: d["settings"].update(dropoutt=0.0)
    ),
    "setting of the wrong type": content("study", "shuffle", "many")(
        lambda d: d["settings"].update(shuffle="many")
    ),
    "setting null": content("study", "dtype")(lambda d: d["settings"].update(dtype=None)),
    "setting left out": content("study", expected="either")(
        lambda d: d["settings"].pop("rate_offset")
    ),
    "settings null": content("study", "settings")(lambda d: d.update(settings=None)),
    "figure unknown": content("neurons", "nosuch")(
        lambda d: d["results"]["fig2c"].update(figure="nosuch")
    ),
    "table unknown": content("learning", "nosuch")(
        lambda d: d["results"]["fig5"].update(table="nosuch")
    ),
    "table of Python": content("learning", "__doc__")(
        lambda d: d["results"]["fig5"].update(table="__doc__")
    ),
    "markdown unknown": content("neurons", "nosuch")(
        lambda d: d["results"]["fig2c"].update(markdown="nosuch")
    ),
    "theorem unknown": content("neurons", "nosuch")(
        lambda d: d["results"]["eq38.soft_rate"].update(theorem="nosuch")
    ),
    "options without a table": content("neurons", "options")(
        lambda d: d["results"]["fig2c"].update(options={"x": 1})
    ),
    "options mistyped": content("table1", "rowss", "rows")(
        lambda d: d["results"]["table1"]["options"].update(rowss=[])
    ),
    "data set unknown": content("study", "digitss", "digits")(
        lambda d: _demo(d).update(dataset="digitss")
    ),
    "data set elsewhere": content("study", "../../x")(lambda d: _demo(d).update(dataset="../../x")),
    "study of another name": content("study", "song2020")(lambda d: d.update(study="song2020")),
    "study elsewhere": content("study", "../x")(lambda d: d.update(study="../x")),
    "scale missing": content("study", "demo")(lambda d: d["scales"].pop("demo")),
    "scale unknown": content("study", "dem")(
        lambda d: d["scales"].update(dem=d["scales"].pop("demo"))
    ),
    "seeds empty": content("study", "seeds")(lambda d: _demo(d).update(seeds=[])),
    "seeds twice": content("study", "seeds")(lambda d: _demo(d).update(seeds=[0, 0])),
    "seed negative": content("study", "seeds")(lambda d: _demo(d).update(seeds=[-1])),
    "network unknown": content("table1", "snm", "snn")(
        lambda d: d["simulate"]["long"]["networks"].append("snm")
    ),
    "variant unknown": content("table1", "a9b320b")(
        lambda d: d["train"]["snn"]["variants"].update(as_coded="a9b320b")
    ),
    "name of a run": content("learning", "Fig-6")(
        lambda d: d["train"].update({"Fig-6": d["train"].pop("fig5_zil")})
    ),
    "name of a result": content("neurons", "x y")(
        lambda d: d["results"].update({"x y.z": {"title": "t", "data": "fig2a"}})
    ),
    "name of a result elsewhere": content("neurons", "a/../../b")(
        lambda d: d["results"].update({"a/../../b": {"title": "t", "data": "fig2a"}})
    ),
    "only_seeds 0": content("learning", "only_seeds")(
        lambda d: d["train"]["fig5_zil"].update(only_seeds=0)
    ),
    "only_seeds 99": content("learning", "only_seeds", expected="either")(
        lambda d: d["train"]["fig5_zil"].update(only_seeds=99)
    ),
    "published unknown": content("constraints", "claim.nosuch")(
        lambda d: d["sweep"]["constraints"].update(published="thuesen2022.claim.nosuch")
    ),
    "published of a result unknown": content("neurons", "claim.nosuch")(
        lambda d: d["results"]["fig2c"].update(published="claim.nosuch")
    ),
    "result that nobody published": content("neurons", "claim.nosuch")(
        lambda d: d["results"].update({"claim.nosuch": {"data": "fig2a"}})
    ),
    "key unknown": content("learning", "seedgroup")(
        lambda d: d["train"]["fig5_zil"].update(seedgroup="x")
    ),
    "simulation setting unknown": content("study", "dt_mss")(
        lambda d: d["simulation"].update(dt_mss=1.0)
    ),
    "simulation setting negative": content("study", "dt_ms")(
        lambda d: d["simulation"].update(dt_ms=-1.0)
    ),
    "simulation setting text": content("study", "simulation_time_ms")(
        lambda d: d["simulation"].update(simulation_time_ms="long")
    ),
    "simulation time no multiple": content("study", "multiple")(
        lambda d: d["simulation"].update(simulation_time_ms=7, dt_ms=2.0)
    ),
    "sweep setting unknown": content("neurons", "pointss")(
        lambda d: d["sweep"]["fig2c"]["settings"].update(pointss=3)
    ),
    "sweep setting text": content("neurons", "points")(
        lambda d: d["sweep"]["fig2c"]["settings"].update(points="lots")
    ),
    "sweep setting of the workflow": content("neurons", "shard")(
        lambda d: d["sweep"]["fig2c"]["settings"].update(shard=1)
    ),
    "minutes 0": content("neurons", "minutes")(lambda d: d["sweep"]["fig2c"].update(minutes=0)),
    "HTML in a title": content("study", expected="ok")(
        lambda d: d.update(title="<script>alert(1)</script>")
    ),
    "key twice": text(
        "neurons", lambda t: t.replace("\n  fig2b:", "\n  fig2a: {}\n  fig2b:", 1), "fig2a", "twice"
    ),
    "octal": text("neurons", lambda t: t.replace("points: 401", "points: 0401", 1), "octal"),
    "1e-3": text(
        "neurons", lambda t: t.replace("time_step_s: 0.001", "time_step_s: 1e-3", 1), "1.0e-3"
    ),
    "infinite": text("neurons", lambda t: t.replace("10.0", ".inf", 1), "finite"),
    "alias loop": text(
        "neurons", lambda t: t.replace("rates_hz: [50.0", "rates_hz: &z [*z, 50.0", 1), "itself"
    ),
    "python tag": text(
        "neurons", lambda t: t + "\nx: !!python/object/apply:os.system ['touch PWNED']\n", "neurons"
    ),
    "empty": text("neurons", lambda t: "", "neurons"),
    "broken": text("neurons", lambda t: t + "\nx: [1\n", "neurons"),
    "tab": text("neurons", lambda t: t + "\n\tx: 1\n", "neurons"),
    "Latin-1": text("neurons", lambda t: t.encode() + b"\n# \xfc\n", "neurons", "UTF-8"),
    "list": text("neurons", lambda t: "- a\n", "neurons"),
    "binary": text("neurons", lambda t: bytes(range(256)), "neurons"),
    "missing": text("neurons", lambda t: None, "neurons"),
    "study empty": text("study", lambda t: "", "study.yaml"),
    "study missing": text("study", lambda t: None, "thuesen2022"),
    "study Latin-1": text("study", lambda t: t.encode() + b"\n# \xfc\n", "study.yaml", "UTF-8"),
    "part twice": content("study", "parts")(lambda d: d["parts"].append("neurons")),
    "part unknown": content("study", "neuron", "neurons")(lambda d: d["parts"].append("neuron")),
    "part elsewhere": content("study", "../song2020")(lambda d: d["parts"].append("../song2020")),
    "part not named": content("study", "neurons")(lambda d: d["parts"].remove("neurons")),
    "finding of an unknown key": content("study", "key_findings")(
        lambda d: d["key_findings"][0].update(nosuch=1)
    ),
}


def faults(base: Base) -> Iterator[Outcome]:
    """Every edit, by what Snakemake asks at its start."""
    from plausible.config import load_config
    from plausible.errors import PlausibleError
    from plausible.reproduction.declaration import load_studies

    def load() -> None:
        import sys

        try:
            load_studies("workflow/studies", load_config({"studies": [STUDY]}, "."))
        except PlausibleError as error:
            sys.exit(f"error: {error}")

    for number, (name, edit) in enumerate(EDITS.items()):
        folder = base.work / f"study-{number}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copytree(base.folder / "workflow", folder / "workflow")
        path = folder / f"workflow/studies/{STUDY}/{edit.file}.yaml"
        before = path.read_text(encoding="utf-8")
        after = edit.change(before)
        if after is None:
            path.unlink()
        else:
            path.write_bytes(after if isinstance(after, bytes) else after.encode())
        if after == before:
            yield Outcome(KIND, name, "unclear", "harness: the edit changes nothing")
            continue
        ended = forked(load, folder)
        if re.search("PWNED", " ".join(map(str, folder.glob("*")))):
            yield Outcome(KIND, name, "wrong", "code was executed")
        else:
            yield judge(KIND, name, ended, edit.words, edit.expected)
        shutil.rmtree(folder)
