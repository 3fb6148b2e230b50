"""Small wrong changes: which are made, and which code is left alone."""

import ast
import sys
from typing import Any

import pytest

from benchmarks.mutation.changes import mutants, with_notes


def changes(source: str) -> set[str]:
    return {f"{mutant.before} -> {mutant.after}" for mutant in mutants(source)}


@pytest.mark.parametrize(
    ("source", "made"),
    [
        ("a < b", {"a < b -> a <= b"}),
        ("a == b != c", {"a == b != c -> a != b != c", "a == b != c -> a == b == c"}),
        ("a + b * c", {"a + b * c -> a - b * c", "b * c -> b / c"}),
        ("a and b", {"a and b -> a or b", "a and b -> a", "a and b -> b"}),
        ("not a", {"not a -> a"}),
        ("x = -a", {"-a -> a"}),
        ("x = True", {"True -> False"}),
        ("x = 3", {"3 -> 4"}),
        ("x = 100", {"100 -> 200"}),
        ("x = 0.5", {"0.5 -> 1.0"}),
        ("x = ''", {"'' -> 'x'"}),
        ("x = 'png'", {"'png' -> ''"}),
        ("x = b'png'", {"b'png' -> b''"}),
        ("x = min(a)", {"min -> max"}),
        ("call(a)", {"call(a) -> (left out)"}),
        ("x = call(key=a)", {"call(key=a) -> (left out)"}),
        ("a += b", {"a += b -> a -= b", "a += b -> (left out)"}),
        ("a.b = c", {"a.b = c -> (left out)"}),
        ("x = [a for a in b if c]", {"[a for a in b if c] -> [a for a in b]"}),
        ("x = a if b else c", {"if b -> if True", "if b -> if False"}),
        ("if a: x = b", {"if a -> if True", "if a -> if False"}),
        ("while a: x = b", {"while a -> while False"}),
        ("def f(a=1): ...", {"1 -> 2"}),
    ],
)
def test_every_kind_of_change(source: str, made: set[str]) -> None:
    assert changes(source) == made


@pytest.mark.parametrize(
    ("annotation", "made"),
    [
        ("int | None", {"return a -> return None"}),
        ("bool", {"return a -> return not a"}),
        ("int", set()),
    ],
)
def test_what_is_returned_instead_fits_the_annotation(annotation: str, made: set[str]) -> None:
    assert changes(f"def f(a) -> {annotation}:\n    return a\n") == made


@pytest.mark.parametrize(
    "source",
    [
        '"""The module, 1 < 2."""',
        "def f(a: 'x' = None) -> 'y':\n    '''Do it.'''\n",
        "x: Literal['a'] = b",
        "__all__ = ['a']",
        "Row = tuple[int, str] | None",
        "if TYPE_CHECKING:\n    x = 1\n",
        "@dataclass(frozen=True)\nclass A: ...",
        "raise ValueError('It is not one.')",
        "raise ValueError(f'It is {a}.')",
        "x = cast('A', b)",
        "x = open(a, encoding='utf-8')",
        "x = f'{a:02d}'",
        "x = 'The file is missing there.'",
        "assert a, 'none'",
    ],
)
def test_code_that_is_left_alone(source: str) -> None:
    assert not changes(source)


def test_a_mutant_has_one_change_and_the_rest_as_it_was() -> None:
    source = "import os\n\ndef f(a):\n    b = a < 1\n    return b\n"
    found = {mutant.after: mutant.source for mutant in mutants(source)}
    assert set(found) == {"a <= 1", "2"}
    assert ast.unparse(ast.parse(source.replace("a < 1", "a <= 1"))) + "\n" == found["a <= 1"]
    assert ast.unparse(ast.parse(source.replace("a < 1", "a < 2"))) + "\n" == found["2"]


def test_where_a_change_is() -> None:
    source = "class A:\n    @cached\n    def f(self):\n        return 2\n\nb = 3\n"
    (inner, outer) = mutants(source)
    assert (inner.where, inner.line, inner.first, inner.statement) == ("A.f", 4, 2, "return 2")
    assert (outer.where, outer.line, outer.first, outer.statement) == ("", 6, 0, "b = 3")


def test_keys_differ_and_stay_if_lines_move() -> None:
    source = "def f(a):\n    return (a < 1) + (a < 1)\n"
    keys = [mutant.key for mutant in mutants(source)]
    assert len(set(keys)) == len(keys) == 5
    assert [mutant.key for mutant in mutants("x = y\n\n\n" + source)] == keys


NOTED = """
@(lambda f: f)
def f(a):
    'Do it.'
    def inner(): return 1
    return inner()

def g(): return f
"""


def test_functions_note_that_they_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    names: dict[str, Any] = {}
    exec(with_notes(NOTED), names)
    assert names["f"](1) == 1  # nobody wants to know
    for name, arguments, called in (("f", [1], {2}), ("g", [], {8})):
        monkeypatch.setattr(sys, "called_lines", set(), raising=False)
        names[name](*arguments)
        assert sys.called_lines == called  # type: ignore[attr-defined]
    assert names["f"].__doc__ == "Do it."
