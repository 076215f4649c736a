"""Faults of configuration files and of the command line."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .harness import Base, Ended, Outcome, forked, judge, run, snakemake

KIND = "configuration"


class Slip(NamedTuple):
    """Content of config.yaml, and what is to come of it."""

    content: str | bytes | None
    words: tuple[str, ...] = ()
    expected: str = "error"
    arguments: tuple[str, ...] = ()


OWN = "studies: [thuesen2022]\n"
BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 9)
)


def line(text: str, *words: str, expected: str = "error") -> Slip:
    """A line behind the usual ones."""
    return Slip(OWN + text + "\n", words, expected)


def all_of(text: str | bytes, *words: str, expected: str = "error") -> Slip:
    """The whole file."""
    return Slip(text, words, expected)


def stated(*arguments: str, words: tuple[str, ...] = (), expected: str = "error") -> Slip:
    """Words of the command line."""
    return Slip(OWN, words, expected, arguments)


EVERY = "overrides: {'*': {%s}}"
SLIPS: dict[str, Slip] = {
    "scale typo": line("scale: dmo", "scale", "dmo", "demo"),
    "scale null": line("scale: null", "scale", "demo"),
    "scale number": line("scale: 3", "scale", "demo"),
    "scale date": line("scale: 2020-01-01", "scale"),
    "scale no": line("scale: no", "scale"),
    "scale with quote": line('scale: "de\'mo"', "scale"),
    "studies text": all_of("studies: thuesen2022\n", "studies", "list"),
    "studies empty": all_of("studies: []\n", "studies"),
    "study unknown": all_of("studies: [thuesen2202]\n", "studies[0]", "thuesen2022"),
    "study twice": all_of("studies: [thuesen2022, thuesen2022]\n", "studies", "twice"),
    "study number": all_of("studies: [1]\n", "studies[0]"),
    "study elsewhere": all_of("studies: [../studies/thuesen2022]\n", "studies[0]"),
    "study absolute": all_of("studies: [/etc/passwd]\n", "studies[0]"),
    "device gpu": line("device: gpu", "device", "cuda"),
    "device cuda": line("device: cuda", "device", "cpu"),
    "seed negative": line("seeds: [-1]", "seeds[0]", "-1"),
    "seeds twice": line("seeds: [1, 1]", "seeds"),
    "seed float": line("seeds: [1.0]", "seeds[0]"),
    "seed text": line("seeds: ['1']", "seeds[0]", "without quotes"),
    "seed octal": line("seeds: [010]", "010", "octal"),
    "seed base 60": line("seeds: [1:30]", "1:30", "base 60"),
    "seeds scalar": line("seeds: 3", "seeds", "list"),
    "seeds empty": line("seeds: []", "seeds"),
    "seed 2^63": line(f"seeds: [{2**63}]", "seeds[0]"),
    "seed 10^5000": line("seeds: [1" + "0" * 5000 + "]", "config.yaml"),
    "seed bool": line("seeds: [true]", "seeds[0]"),
    "seed null": line("seeds: [null]", "seeds[0]"),
    "seeds_per_job 0": line("seeds_per_job: 0", "seeds_per_job"),
    "seeds_per_job 1.5": line("seeds_per_job: 1.5", "seeds_per_job"),
    "data null": line("data: null", "data"),
    "data list": line("data: [1]", "data"),
    "data.dir missing": line("data: {dir: /no/such/folder}", "data.dir", "/no/such/folder"),
    "data.dir a file": line("data: {dir: /etc/passwd}", "data.dir"),
    "data.dir empty": line("data: {dir: ''}", "data.dir"),
    "data.dir number": line("data: {dir: 3}", "data.dir"),
    "data set unknown": line(
        "data: {dataset: fashionn, sets: {fashion: {folder: x}}}", "data.dataset", "fashion"
    ),
    "data set elsewhere": line("data: {dataset: ../../etc/passwd}", "data.dataset"),
    "set name elsewhere": line("data: {sets: {'../x': {folder: x}}}", "../x"),
    "set name upper": line("data: {sets: {Fashion: {folder: x}}}", "Fashion"),
    "set reserved": line("data: {sets: {mnist: {folder: x}}}", "data.sets.mnist"),
    "set without folder": line("data: {sets: {f: {}}}", "folder"),
    "set folder empty": line("data: {sets: {f: {folder: ''}}}", "folder"),
    "set extra key": line("data: {sets: {f: {folder: x, url: http://x}}}", "url"),
    "set number key": line("data: {sets: {1: {folder: x}}}", "`1`"),
    "set one class": line("data: {sets: {f: {folder: x, classes: 1}}}", "classes"),
    "set white 256": line("data: {sets: {f: {folder: x, white: 256}}}", "white"),
    "run unknown": line("overrides: {spcn_adm: {epochs: 1}}", "spcn_adm", "spcn_adam"),
    "setting unknown": line("overrides: {spcn_adam: {epoch: 1}}", "epoch"),
    "setting of all unknown": line(EVERY % "epoch: 1", "epoch", "epochs"),
    "text for number": line(EVERY % "epochs: two", "epochs", "two"),
    "number negative": line(EVERY % "epochs: -1", "epochs"),
    "number float": line(EVERY % "epochs: 1.5", "epochs"),
    "not a number": line(EVERY % "learning_rate: .nan", "finite"),
    "infinite": line(EVERY % "learning_rate: .inf", "finite"),
    "1e-3 is a text": line(EVERY % "learning_rate: 1e-3", "learning_rate", "1.0e-3"),
    "hidden 0": line(EVERY % "hidden_sizes: [0]", "hidden_sizes"),
    "hidden text": line(EVERY % "hidden_sizes: '100'", "hidden_sizes"),
    "hidden scalar": line(EVERY % "hidden_sizes: 300", "hidden_sizes"),
    "simulation negative": line(EVERY % "dt_ms: -1.0", "dt_ms"),
    "simulation text": line(EVERY % "simulation_time_ms: long", "simulation_time_ms"),
    "overrides list": line("overrides: [1]", "overrides"),
    "overrides of nothing": line("overrides: {spcn_adam: {}}", "overrides.spcn_adam"),
    "overrides null": line("overrides: {spcn_adam: null}", "overrides.spcn_adam"),
    "optimizer typo": line(EVERY % "optimizer: adan", "optimizer", "adam"),
    "batch 0": line(EVERY % "batch_size: 0", "batch_size"),
    "key unknown": line("seed: [1]", "seed", "seeds"),
    "key upper": line("Scale: demo", "Scale", "scale"),
    "key number": line("1: 2", "`1`"),
    "key null": line("null: 2", "null"),
    "key on": line("on: 2", "`on`"),
    "key twice": line("scale: demo\nscale: quick", "scale", "twice"),
    "inner key twice": line("data: {dir: null, dir: x}", "dir", "twice"),
    "tab": line("data:\n\tdir: x", "config.yaml", "tabs"),
    "bracket open": line("seeds: [1, 2", "config.yaml"),
    "quote open": line("scale: 'demo", "config.yaml"),
    "bad indent": line("data:\n   dir: null\n  sets: {}", "config.yaml"),
    "empty": all_of("", expected="ok"),
    "comment": all_of("# x\n", expected="ok"),
    "list": all_of("- a\n", "config.yaml"),
    "scalar": all_of("demo\n", "config.yaml"),
    "binary": all_of(bytes(range(256)), "config.yaml"),
    "Latin-1": all_of(b"scale: demo # f\xfcr\n", "config.yaml", "UTF-8"),
    "UTF-16": all_of("scale: demo\n".encode("utf-16"), expected="ok"),
    "byte order mark": all_of(b"\xef\xbb\xbfscale: demo\nstudies: [thuesen2022]\n", expected="ok"),
    "CRLF": all_of(b"scale: demo\r\nstudies: [thuesen2022]\r\n", expected="ok"),
    "anchor": line("seeds: &s [0]", expected="ok"),
    "alias undefined": line("seeds: *s", "config.yaml"),
    "alias loop": line("seeds: &a [*a]", "config.yaml", "itself"),
    "alias bomb": line(BOMB, "config.yaml"),
    "python tag": line("scale: !!python/object/apply:os.system ['touch PWNED']", "config.yaml"),
    "yte": all_of("__use_yte__: true\nscale: ?open('PWNED', 'w').name\n", "__use_yte__"),
    "NUL": all_of(b"scale: de\0mo\n", "config.yaml"),
    "two documents": all_of("scale: demo\n---\nscale: quick\n", "config.yaml", "second"),
    "shell in data.dir": line('data: {dir: "$(touch PWNED)"}', "data.dir"),
    "shell in folder": line('data: {sets: {f: {folder: "; touch PWNED #"}}}', expected="ok"),
    "long text": line("scale: " + "x" * 100_000, "scale"),
    "deep": line("overrides: " + "{a: " * 300 + "1" + "}" * 300, "deep"),
    "very deep": line("overrides: " + "[" * 200_000, "deep"),
    "missing": all_of(None, "config.yaml"),
    "a folder": all_of("FOLDER", "config.yaml", "folder"),
    "scale on the line": stated("--config", "scale=dmo", words=("scale", "dmo")),
    "seed on the line": stated("--config", "seeds=[-1]", words=("seeds[0]", "-1")),
    "seeds on the line": stated("--config", "seeds=[0,1]", expected="ok"),
    "data null on the line": stated("--config", "data=", words=("data",)),
    "target unknown": stated("thuesen2022_fig99", words=("thuesen2022_fig99",)),
    "target of another study": stated("song2020_fig3", words=("song2020_fig3",)),
}


def faults(base: Base) -> Iterator[Outcome]:
    """Every slip by a dry run."""
    import snakemake.api  # noqa: F401 - once, and not in every fork
    from snakemake.cli import main

    for number, (name, slip) in enumerate(SLIPS.items()):
        folder = base.copy(f"configuration-{number}", finished=False)
        path = folder / "config.yaml"
        path.unlink()
        if slip.content == "FOLDER":
            path.mkdir()
        elif slip.content is not None:
            content = slip.content
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        targets = (
            () if slip.arguments[:1] and slip.arguments[0][0] != "-" else ("thuesen2022_fig2c",)
        )
        arguments = ["-n", "-q", "--cores", "1", *targets, *slip.arguments]

        def start(arguments=arguments) -> None:
            import sys

            sys.argv = ["snakemake", *arguments]
            sys.exit(main())

        ended = forked(start, folder, memory_mb=6000)
        left = [folder / "results"] if slip.expected == "error" else []
        if list(folder.glob("PWNED")):
            yield Outcome(KIND, name, "wrong", "code was executed")
        else:
            yield judge(KIND, name, ended, slip.words, slip.expected, left)
    yield from _through_make(base)


def _through_make(base: Base) -> Iterator[Outcome]:
    """What `make all` asks before Snakemake reads a file that is named on its command line."""
    folder = base.copy("configuration-make", finished=False)
    (folder / "evil.yaml").write_text("__use_yte__: true\nscale: ?open('PWNED', 'w').name\n")
    (folder / "good.yaml").write_text("scale: demo\n")
    asked = ["-m", "plausible.config", "--check-arguments"]
    cases = {
        "code behind --configfile": (["--configfile", "evil.yaml"], ("__use_yte__",), "error"),
        "no file behind --configfile": (["--configfile", "nosuch.yaml"], ("nosuch.yaml",), "error"),
        "target behind --configfile": (["--configfile", "good.yaml", "all"], ("all",), "error"),
        "file behind --configfile": (["--configfile", "good.yaml", "-n"], (), "ok"),
    }
    for name, (arguments, words, expected) in cases.items():
        ended: Ended = run([snakemake()[0], *asked, *arguments], folder)
        if Path(folder / "PWNED").exists():
            yield Outcome(KIND, name, "wrong", "code was executed")
        else:
            yield judge(KIND, name, ended, words, expected)
