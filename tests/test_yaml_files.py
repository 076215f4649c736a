"""What YAML would take for something else than it looks is refused, with its line."""

import pytest

from plausible.errors import ConfigError
from plausible.yaml_files import DEEPEST, number_meant, read_yaml


@pytest.fixture
def put(tmp_path):
    def write(content: str | bytes):
        path = tmp_path / "file.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 9)
)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", None),
        ("# nothing\n", None),
        (
            "a: 1\nb: [0, 1.0e-3, yes, null, '010', x]",
            {"a": 1, "b": [0, 1e-3, True, None, "010", "x"]},
        ),
        ("a: &s [0]\nb: *s", {"a": [0], "b": [0]}),
        (b"\xef\xbb\xbfa: 1\r\n", {"a": 1}),
        ("a: ü".encode("utf-16"), {"a": "ü"}),
        ("b: {<<: {a: 1, c: 2}, a: 3}", {"b": {"a": 3, "c": 2}}),
        ("a: 0\nb: -0\nc: 0.5", {"a": 0, "b": 0, "c": 0.5}),
    ],
)
def test_reads(put, content, expected):
    assert read_yaml(put(content)) == expected


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2", ["line 4", "`c` is given twice", "line 3"]),
        ("a: 010", ["line 1", "`010`", "octal", "write 10"]),
        ("a: [1:30]", ["`1:30`", "base 60"]),
        ("a: .inf", ["`.inf`", "finite"]),
        ("a: -.INF", ["finite"]),
        ("a: .nan", ["finite"]),
        ("1: a", ["the key `1` is a number", "write '1'"]),
        ("on: a", ["the key `on` is true or false"]),
        ("null: 2", ["the key `null` is null"]),
        ("2020-01-01: 2", ["of the type timestamp"]),
        ("[a]: 2", ["a key is a list"]),
        ("a: &a [*a]", ["holds itself"]),
        (BOMB, ["more than 1000000 entries"]),
        ("a: " + "[" * (DEEPEST + 2) + "]" * (DEEPEST + 2), [f"more than {DEEPEST} deep"]),
        ("a:\n\tb: 1", ["line 2", "not by tabs"]),
        ("a: [1, 2", ["no valid YAML in line 2"]),
        ("a: 1\n---\nb: 2", ["a second document begins"]),
        ("a: *b", ["undefined alias"]),
        ("a: !!python/object/apply:os.system ['x']", ["no valid YAML"]),
        (b"a: 1\nb: f\xfcr", ["0xfc in line 2 is not UTF-8"]),
        (b"a: x\0y", ["no valid YAML"]),
        ("a: 2020-13-45", ["cannot be read"]),
    ],
)
def test_refuses_in_one_sentence(put, content, words):
    path = put(content)
    with pytest.raises(ConfigError) as caught:
        read_yaml(path)
    sentence = str(caught.value)
    assert sentence.startswith(f"{path}: ") and sentence.endswith(".") and "\n" not in sentence
    for word in words:
        assert word in sentence


@pytest.mark.parametrize(
    "content",
    ["a: " + "[" * 100_000, "- " * 100_000, "\n".join(" " * n + "a:" for n in range(2000))],
)
def test_nested_beyond_what_the_parser_bears(put, content):
    with pytest.raises(ConfigError, match="nested"):
        read_yaml(put(content))


def test_missing_and_folder(tmp_path):
    with pytest.raises(ConfigError, match="none.yaml: the file is missing"):
        read_yaml(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="this is a folder"):
        read_yaml(tmp_path)


def test_what_a_number_must_look_like():
    assert "write 1.0e-3" in number_meant("1e-3")
    assert "write 2.0e+5" in number_meant("2E5")
    assert "write 3" in number_meant("3")
    assert number_meant("three") == ""
