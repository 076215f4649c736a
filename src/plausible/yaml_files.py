"""YAML files, read strictly: what YAML itself would take for something else is refused.

A key that is given twice (the last would win), ``010`` (8 to YAML), ``1:30`` (90), ``.inf``, a key
that is no text, an entry that holds itself: each is one sentence with its line.
"""

import codecs
import re
from pathlib import Path
from typing import Any, NoReturn

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from plausible.errors import ConfigError

DEEPEST = 50
"""Levels of nesting; the deepest file of the project has eight."""
FAR_TOO_DEEP = 1000
LARGEST = 1_000_000
"""Entries, counting what an alias stands for each time."""
_KINDS = {"int": "a number", "float": "a number", "bool": "true or false", "null": "null"}
_READ_OTHERWISE = (
    (re.compile(r"[-+]?0[0-9_]+"), "int", "YAML reads a number that begins with 0 as octal"),
    (re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"), "", "YAML reads it to base 60"),
    (re.compile(r"[-+]?\.inf|\.nan", re.IGNORECASE), "float", "a finite number is expected"),
)


def read_yaml(path: str | Path) -> Any:
    """Content of a YAML file in UTF-8; None of an empty one.

    Raises
    ------
    ConfigError
        If the file is missing, cannot be read, is no valid YAML, or holds what is read otherwise
        than it looks.
    """
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"{path}: the file is missing.") from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: this is a folder, where a file is expected.") from None
    except OSError as error:
        raise ConfigError(f"{path}: the file cannot be read ({error.strerror}).") from None
    return parse_yaml(_text(content, path), path)


def parse_yaml(text: str, place: str | Path) -> Any:
    """Content of a YAML document that stands at ``place``; errors as those of `read_yaml`."""
    if _far_too_deep(text):
        raise ConfigError(f"{place}: entries are nested more than {DEEPEST} deep.")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)  # C: ten times as fast
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _Check(place).size_of(node, 0)
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = str(getattr(error, "problem", None) or "it cannot be read").rstrip(".")
        if "expected a single document" in str(error):
            problem = "a second document begins, where one is expected"
        lines = text.splitlines()
        if mark and mark.line < len(lines) and lines[mark.line][mark.column :][:1] == "\t":
            problem += "; indent by spaces, not by tabs"
        raise ConfigError(f"{place}: this is no valid YAML{line}: {problem}.") from None
    except ValueError as error:  # such as a date that no calendar has
        raise ConfigError(f"{place}: a value cannot be read ({error}).") from None
    finally:
        loader.dispose()


def _far_too_deep(text: str) -> bool:
    """Whether reading would exhaust the stack, which ends Python without a word."""
    depth = 0
    for bracket in re.findall(r"[][{}]", text):
        depth += 1 if bracket in "[{" else -1
        if depth > FAR_TOO_DEEP:
            return True
    return re.search(rf"^ *(- *){{{FAR_TOO_DEEP}}}|^ {{{FAR_TOO_DEEP}}}", text, re.M) is not None


def number_meant(text: str) -> str:
    """How YAML wants the number that a text looks like, as words to add; empty if it is none."""
    try:
        number = float(text)
    except ValueError:
        return ""
    if re.fullmatch(r"[-+]?[0-9]+e[-+]?[0-9]+", text, re.IGNORECASE):
        mantissa, exponent = text.lower().split("e")
        sign = "" if exponent[0] in "+-" else "+"
        return f" (YAML takes `{text}` for a text: write {mantissa}.0e{sign}{exponent})"
    return f" (for the number write {number:g}, without quotes)"


def _text(content: bytes, path: str | Path) -> str:
    utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}: the byte {content[error.start]:#04x} in line {line} is not UTF-8; save the "
            "file as UTF-8."
        ) from None


class _Check:
    """A walk through a document before anything is made of it."""

    def __init__(self, place: str | Path) -> None:
        self.place = place
        self.sizes: dict[int, int | None] = {}

    def refuse(self, node: Node, problem: str) -> NoReturn:
        raise ConfigError(f"{self.place}: line {node.start_mark.line + 1}: {problem}.")

    def size_of(self, node: Node, depth: int) -> int:
        """Number of entries, those behind aliases included."""
        if isinstance(node, ScalarNode):
            self.scalar(node)
            return 1
        if id(node) in self.sizes:
            size = self.sizes[id(node)]
            if size is None:
                self.refuse(node, "an entry holds itself, by an alias")
            return size
        if depth > DEEPEST:
            self.refuse(node, f"entries are nested more than {DEEPEST} deep")
        self.sizes[id(node)] = None
        if isinstance(node, MappingNode):
            self.keys(node)
            inner = [part for pair in node.value for part in pair]
        elif isinstance(node, SequenceNode):
            inner = node.value
        size = 1 + sum(self.size_of(part, depth + 1) for part in inner)
        if size > LARGEST:
            self.refuse(node, f"aliases make more than {LARGEST} entries of it")
        self.sizes[id(node)] = size
        return size

    def keys(self, node: MappingNode) -> None:
        lines: dict[str, int] = {}
        for key, _ in node.value:
            kind = key.tag.rpartition(":")[2]
            if kind == "merge":
                continue
            if not isinstance(key, ScalarNode):
                self.refuse(key, "a key is a list or a mapping, where a text is expected")
            if kind != "str":
                self.refuse(
                    key,
                    f"the key `{key.value}` is {_KINDS.get(kind, f'of the type {kind}')} to YAML, "
                    f"where a text is expected; write '{key.value}'",
                )
            if key.value in lines:
                self.refuse(
                    key, f"the key `{key.value}` is given twice, first in line {lines[key.value]}"
                )
            lines[key.value] = key.start_mark.line + 1

    def scalar(self, node: ScalarNode) -> None:
        kind = node.tag.rpartition(":")[2]
        if kind not in ("int", "float"):
            return
        for pattern, only, problem in _READ_OTHERWISE:
            if only in ("", kind) and pattern.fullmatch(node.value):
                plain = node.value.lstrip("+-0_")
                hint = f"; write {plain or 0}" if only == "int" else ""
                self.refuse(node, f"`{node.value}` was found; {problem}{hint}")
