"""Faults of data files: the user's own, in MNIST's layout or a relative's, and the known ones."""

import gzip
import os
import random
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .harness import ROOT, Base, Files, Outcome, forked, judge, script

KIND = "data file"
NAMES = (
    *("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    *("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
)
IMAGES, LABELS, TEST_IMAGES, TEST_LABELS = NAMES
UNREACHABLE = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
NOBODY = 65534


def images(n=60, rows=5, columns=4, magic=2051, head=None, seed=0, top=255) -> bytes:
    numbers = random.Random(seed)
    body = bytes(numbers.randrange(top + 1) for _ in range(n * rows * columns))
    body = bytes([top]) + body[1:] if body else body
    return struct.pack(">4I", magic, *(head or (n, rows, columns))) + body


def labels(n=60, magic=2049, head=None, high=10, first=0, one=None) -> bytes:
    body = bytes(first + i % high for i in range(n))
    body = body if one is None else bytes([one]) + body[1:]
    return struct.pack(">2I", magic, n if head is None else head) + body


def packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


GOOD = {
    IMAGES: images(),
    LABELS: labels(),
    TEST_IMAGES: images(20, seed=1),
    TEST_LABELS: labels(20),
}
LETTERS = {
    "emnist-letters-train-images-idx3-ubyte": images(104),
    "emnist-letters-train-labels-idx1-ubyte": labels(104, high=26, first=1),
    "emnist-letters-test-images-idx3-ubyte": images(52),
    "emnist-letters-test-labels-idx1-ubyte": labels(52, high=26, first=1),
}
Q = "qmnist-{}-labels-idx2-int"


def columns(count: int) -> bytes:
    rows = b"".join(struct.pack(">8i", i % 10, *[7] * 7) for i in range(count))
    return struct.pack(">3I", 0x0C02, count, 8) + rows


class Own:
    """A folder of the user: files beside the good ones, None takes one away; what is declared."""

    def __init__(self, changes: Any = None, words: tuple[str, ...] | None = None, **declared: Any):
        self.changes, self.words, self.declared = changes or {}, words, declared


def bad(name: str, content: Any, *words: str) -> Own:
    return Own({name: content}, words or (name,))


def only(files: dict[str, bytes], words: tuple[str, ...] | None = None, **declared: Any) -> Own:
    return Own({**dict.fromkeys(NAMES), **files}, words, **declared)


OWN: dict[str, Own] = {
    "plain": Own(),
    "compressed": only({f"{name}.gz": packed(content) for name, content in GOOD.items()}),
    "dotted names": only({n.replace("-idx", ".idx"): c for n, c in GOOD.items()}),
    "letters": only(LETTERS, classes=26, first_label=1, transposed=True),
    "letters not declared": only(LETTERS, ("1 to 26", "classes", "first_label")),
    "letters from 0": only(LETTERS, ("1 to 26", "0 to 25"), classes=26),
    "two sets in a folder": Own(LETTERS, ("prefix",)),
    "one of two sets": Own(LETTERS, prefix="emnist-letters-", classes=26, first_label=1),
    "prefix of nothing": Own(LETTERS, ("emnist-digits-",), prefix="emnist-digits-"),
    "QMNIST": only(
        {
            "qmnist-train-images-idx3-ubyte": images(),
            Q.format("train"): columns(60),
            "qmnist-test-images-idx3-ubyte": images(20),
            Q.format("test"): columns(20),
        }
    ),
    "QMNIST cut": only(
        {
            "qmnist-train-images-idx3-ubyte": images(),
            Q.format("train"): columns(60)[:-3],
            "qmnist-test-images-idx3-ubyte": images(20),
            Q.format("test"): columns(20),
        },
        ("truncated",),
    ),
    "two classes": Own(
        {LABELS: labels(high=2), TEST_LABELS: labels(20, high=2)}, ("0, 1", "classes")
    ),
    "two classes declared": Own(
        {LABELS: labels(high=2), TEST_LABELS: labels(20, high=2)}, classes=2
    ),
    "black and white": Own({IMAGES: images(top=1), TEST_IMAGES: images(20, top=1)}, ("white",)),
    "black and white declared": Own(
        {IMAGES: images(top=1), TEST_IMAGES: images(20, top=1)}, white=1
    ),
    "brighter than white": Own({}, ("grey level",), white=100),
    "images cut": bad(IMAGES, GOOD[IMAGES][:-7]),
    "images one byte": bad(IMAGES, b"\0"),
    "images empty": bad(IMAGES, b""),
    "images header": bad(IMAGES, GOOD[IMAGES][:16]),
    "images half a header": bad(IMAGES, GOOD[IMAGES][:10]),
    "images too long": bad(IMAGES, GOOD[IMAGES] + b"\0"),
    "images other magic": bad(IMAGES, images(magic=1234)),
    "images of floats": bad(IMAGES, images(magic=0x0D03), "floats"),
    "images of four dimensions": bad(IMAGES, images(magic=2052), "4 dimensions"),
    "images little-endian": bad(
        IMAGES, struct.pack("<4I", 2051, 60, 5, 4) + GOOD[IMAGES][16:], "little-endian"
    ),
    "images and labels swapped": Own({IMAGES: GOOD[LABELS], LABELS: GOOD[IMAGES]}, ("swapped",)),
    "images 2^32 - 1": bad(IMAGES, images(head=(2**32 - 1, 5, 4))),
    "images 2^96": bad(IMAGES, images(head=(2**32 - 1,) * 3)),
    "images 0 x 0": bad(IMAGES, images(60, 0, 0), "0 x 0"),
    "no image": Own({IMAGES: images(0), LABELS: labels(0)}, ("",)),
    "no test image": Own({TEST_IMAGES: images(0), TEST_LABELS: labels(0)}, ("",)),
    "a label too few": bad(LABELS, labels(59), "60"),
    "label count lies": bad(LABELS, labels(60, head=61)),
    "label 10": bad(LABELS, labels(one=10), "10"),
    "test label 255": bad(TEST_LABELS, labels(20, one=255), "255"),
    "class missing": bad(LABELS, labels(high=9), "classes"),
    "sizes differ": bad(TEST_IMAGES, images(20, 4, 5), "4 x 5"),
    "gzip corrupt": Own(
        {IMAGES: None, f"{IMAGES}.gz": flipped(packed(GOOD[IMAGES]), 300)}, (IMAGES,)
    ),
    "gzip header corrupt": Own(
        {IMAGES: None, f"{IMAGES}.gz": flipped(packed(GOOD[IMAGES]), 2)}, (IMAGES,)
    ),
    "gzip cut": Own({IMAGES: None, f"{IMAGES}.gz": packed(GOOD[IMAGES])[:200]}, (IMAGES,)),
    "gzip empty": Own({IMAGES: None, f"{IMAGES}.gz": b""}, (IMAGES,)),
    "gzip checksum": Own(
        {IMAGES: None, f"{IMAGES}.gz": flipped(packed(GOOD[IMAGES]), -8)}, (IMAGES,)
    ),
    "gzip and more": Own({IMAGES: None, f"{IMAGES}.gz": packed(GOOD[IMAGES]) + b"more"}, (IMAGES,)),
    "gzip twice": Own({IMAGES: None, f"{IMAGES}.gz": packed(packed(GOOD[IMAGES]))}, ("once",)),
    "gzip of two members": Own(
        {IMAGES: None, f"{IMAGES}.gz": packed(GOOD[IMAGES][:500]) + packed(GOOD[IMAGES][500:])}
    ),
    "gzip magic": Own({IMAGES: None, f"{IMAGES}.gz": b"\x1f\x8b"}, (IMAGES,)),
    "web page": bad(IMAGES, b"<html>404</html>" * 20, "web page"),
    "zip archive": bad(IMAGES, b"PK\x03\x04" + b"x" * 400, "zip"),
    "Git LFS pointer": bad(IMAGES, b"version https://git-lfs.github.com/spec/v1\noid x\n", "lfs"),
    "text": bad(IMAGES, b"label,pixel0\n1,0\n" * 30, "text"),
    "numpy": bad(IMAGES, b"\x93NUMPY\x01\x00" + b"x" * 300, "numpy"),
    "plain under the name .gz": Own({IMAGES: None, f"{IMAGES}.gz": GOOD[IMAGES]}),
    "file missing": Own({TEST_LABELS: None}, (TEST_LABELS,)),
    "folder for a file": bad(LABELS, "FOLDER"),
    "link to itself": bad(LABELS, "LOOP"),
    "link to nothing": bad(LABELS, "DANGLING"),
    "pipe": bad(LABELS, "PIPE"),
    "not to be read": bad(LABELS, "UNREADABLE"),
    "endless": bad(LABELS, "ZERO"),
    "folder missing": Own("NOTHING", ("is not there",)),
    "folder is a file": Own("FILE", ("is no folder",)),
    "folder of another user": Own("~nosuchuser/x", ("nosuchuser",)),
}


def _fill(folder: Path, own: Own) -> None:
    for name, content in {**GOOD, **own.changes}.items():
        path = folder / name
        if content == "FOLDER":
            path.mkdir()
        elif content == "LOOP":
            path.symlink_to(path)
        elif content == "DANGLING":
            path.symlink_to("nosuch")
        elif content == "PIPE":
            os.mkfifo(path)
        elif content == "ZERO":
            path.symlink_to("/dev/zero")
        elif content == "UNREADABLE":
            path.write_bytes(GOOD[name])
            path.chmod(0)
        elif content is not None:
            path.write_bytes(content)


def _known(folder: Path, source: Path) -> dict[str, tuple[str, Callable[[], Any], tuple[str, ...]]]:
    """Faults of MNIST and newsgroups: name of the set, what is done, what is to be said."""

    def mnist(changed: str, content: bytes | None) -> Callable[[], None]:
        def make() -> None:
            for name in NAMES:
                if name != changed:
                    (folder / f"{name}.gz").symlink_to(source / "mnist" / f"{name}.gz")
            if content is not None:
                (folder / f"{changed}.gz").write_bytes(content)

        return make

    group = "20news-bydate-train.sci-electronics-med.jsonl"

    def news(content: bytes, name: str = group) -> Callable[[], Any]:
        return lambda: (folder / name).write_bytes(content)

    faults: dict[str, tuple[str, Callable[[], Any], tuple[str, ...]]] = {
        "newsgroups absent": ("newsgroups", lambda: None, (group,)),
        "newsgroups empty": ("newsgroups", news(b""), (group,)),
        "newsgroups other": ("newsgroups", news(b'{"id": 1}\n'), (group, "SHA-256")),
        "newsgroups cut": ("newsgroups", news(packed(b"x" * 9999)[:30], f"{group}.gz"), (group,)),
        "newsgroups binary": ("newsgroups", news(bytes(range(256))), (group,)),
    }
    if (source / "mnist" / f"{LABELS}.gz").is_file():
        whole = (source / "mnist" / f"{LABELS}.gz").read_bytes()
        plain = gzip.decompress(whole)
        altered = plain[:100] + bytes([(plain[100] + 1) % 10]) + plain[101:]
        tests = (source / "mnist" / f"{TEST_LABELS}.gz").read_bytes()
        faults |= {
            "MNIST cut": ("mnist", mnist(LABELS, whole[:-5]), (LABELS,)),
            "MNIST empty": ("mnist", mnist(LABELS, b""), (LABELS,)),
            "MNIST altered": ("mnist", mnist(LABELS, packed(altered)), ("SHA-256", "move it away")),
            "MNIST compressed anew": ("mnist", mnist(LABELS, packed(plain)), ()),
            "MNIST missing": ("mnist", mnist(TEST_LABELS, None), (TEST_LABELS,)),
            "MNIST of the test part": ("mnist", mnist(LABELS, tests), (LABELS,)),
        }
    return faults


def faults(base: Base) -> Iterator[Outcome]:
    """Every data set, prepared by the workflow's own script."""
    import pkgutil  # noqa: F401 - a user who may not read Python's own files

    import numpy  # noqa: F401 - once, and not in every fork

    import plausible.data.registry  # noqa: F401
    import plausible.data.store  # noqa: F401
    import plausible.reproduction.provenance  # noqa: F401

    top = base.work / "data"
    shutil.rmtree(top, ignore_errors=True)
    here = top / "run"
    here.mkdir(parents=True)
    here.chmod(0o777)
    (here / "workflow").symlink_to(base.folder / "workflow")

    def prepared(name: str, declared: Any, folder: Path | None, **more: Any):
        output = f"out-{name}/x.npz"
        config = {"data": {"dir": folder and str(folder), "sets": declared}}
        wildcards = Files(dataset=name, scale="demo")
        call = script("prepare_data", Files(), Files(output), Files(), wildcards, config)
        return forked(call, here, **more), [here / output, here / f"{output}.json"]

    for number, (title, own) in enumerate(OWN.items()):
        folder = top / f"own-{number} ÄÖ"
        if own.changes == "FILE":
            folder.write_text("x")
        elif isinstance(own.changes, dict):
            folder.mkdir()
            _fill(folder, own)
        named = own.changes if str(own.changes).startswith("~") else str(folder)
        declared = {f"x{number}": {"folder": named, **own.declared}}
        more = {"memory_mb": 6000, "limit_s": 40}
        if "UNREADABLE" in map(str, getattr(own.changes, "values", list)()):
            more["user"] = NOBODY
        ended, outputs = prepared(f"x{number}", declared, None, **more)
        refused = own.words is not None
        yield judge(
            KIND, title, ended, own.words or (), "error" if refused else "ok", outputs * refused
        )
        litter = list(outputs[0].parent.glob(".partial-*"))
        if litter:
            yield Outcome(KIND, f"{title}, leftovers", "unclear", f"left {litter}")
    source = Path(os.environ.get("PLAUSIBLE_DATA", ROOT.parent / "shared" / "data"))
    folder = top / "known"
    for title, (name, make, words) in _known(folder, source).items():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        make()
        ended, outputs = prepared(name, {}, folder, limit_s=90, env=UNREACHABLE)
        expected = "error" if words else "ok"
        yield judge(KIND, title, ended, words, expected, outputs if words else [])
        for path in outputs:
            path.unlink(missing_ok=True)
