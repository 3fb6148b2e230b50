"""Small wrong changes to a module's source, one at a time.

Left as they are: annotations, docstrings, decorators, `__all__`, type aliases, what runs only for
type checkers, the sentences of messages, and the arguments `encoding` and `strict`, which change
nothing on a machine where everything else is right.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

_LONGEST_TEXT = 90  # characters of code in a record
_SPEAKING = (
    *("add_argument", "debug", "error", "info", "notify", "on_message", "option", "print"),
    *("warn", "warning"),
)
_ARGUMENTS_LEFT_ALONE = ("encoding", "strict", "help", "description")

LEFT_OUT: Final = "(left out)"


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A module with one wrong change."""

    where: str  # qualified name of the function or class; "" at the top
    line: int
    before: str
    after: str
    statement: str  # around the change; "" if it is all of the statement
    number: int  # 0 for the first of equal changes in this function
    first: int  # line on which the outermost function begins, with decorators; 0 outside functions
    source: str

    @property
    def key(self) -> str:
        """What stays the same if lines move."""
        around = f" in {self.statement}" if self.statement else ""
        number = f" #{self.number}" if self.number else ""
        return f"{self.where}: {self.before} -> {self.after}{around}{number}".removeprefix(": ")


def mutants(source: str) -> list[Mutant]:
    """Return all changes that are made to a module, in the order of its lines."""
    tree = ast.parse(source)
    seen: Counter[tuple[str, ...]] = Counter()
    found = []
    for change in _walk(tree, _Place()):
        change.put(change.new)
        try:
            changed = ast.unparse(ast.fix_missing_locations(tree))
        finally:
            change.put(change.old)
        statement = "" if isinstance(change.old, ast.stmt) else change.place.statement
        equal = (change.place.where, change.before, change.after, statement)
        mutant = Mutant(
            where=change.place.where,
            line=change.old.lineno,
            before=change.before,
            after=change.after,
            statement=statement,
            number=seen[equal],
            first=change.place.first,
            source=changed + "\n",
        )
        seen[equal] += 1
        found.append(mutant)
    return sorted(found, key=lambda one: one.line)


def with_notes(source: str) -> str:
    """Return a module each of whose functions notes in `sys.called_lines` that it was called.

    What is noted is `Mutant.first`: the line on which the outermost function begins.
    """
    tree = ast.parse(source)
    for node, place in list(_functions(tree, _Place())):
        start = 0 if ast.get_docstring(node) is None else 1
        note = f"getattr(__import__('sys'), 'called_lines', set()).add({place.first})"
        node.body[start:start] = ast.parse(note).body
    return ast.unparse(tree) + "\n"


def _functions(
    node: ast.AST, place: _Place
) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, _Place]]:
    for child in ast.iter_child_nodes(node):
        inner = place.inside(child)
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child, inner
        yield from _functions(child, inner)


# Where changes are made


@dataclass(frozen=True)
class _Place:
    """What is around a node."""

    where: str = ""
    first: int = 0
    returns: ast.expr | None = None  # the annotation of the function
    statement: str = ""
    is_message: bool = False
    is_init: bool = False

    def inside(self, node: ast.AST) -> _Place:
        if isinstance(node, ast.stmt):
            first_line = ast.unparse(node).partition("\n")[0]
            return replace(self._within(node), statement=_short(first_line.rstrip(":")))
        return self._within(node)

    def _within(self, node: ast.AST) -> _Place:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            where = f"{self.where}.{node.name}".lstrip(".")
            if isinstance(node, ast.ClassDef):
                return replace(self, where=where)
            first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
            is_init = node.name in ("__init__", "__post_init__")
            return _Place(where, self.first or first, node.returns, is_init=is_init)
        if isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and _is_message(node)):
            return replace(self, is_message=True)
        return self


@dataclass(frozen=True)
class _Change:
    place: _Place
    old: ast.expr | ast.stmt
    new: ast.AST
    before: str
    after: str
    put: Callable[[ast.AST], None]


def _walk(node: ast.AST, place: _Place) -> Iterator[_Change]:
    inner = place.inside(node)
    for name, value in ast.iter_fields(node):
        if _is_skipped(node, name):
            continue
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(child, ast.AST) or _is_left_alone(child, inner):
                continue
            put = _setter(node, name, index if isinstance(value, list) else None)
            if isinstance(child, ast.expr | ast.stmt):
                for new, before, after in _changes(child, inner):
                    yield _Change(inner, child, new, _short(before), _short(after), put)
            yield from _walk(child, inner)


def _setter(parent: ast.AST, name: str, index: int | None) -> Callable[[ast.AST], None]:
    def put(child: ast.AST) -> None:
        if index is None:
            setattr(parent, name, child)
        else:
            getattr(parent, name)[index] = child

    return put


def _is_skipped(node: ast.AST, field: str) -> bool:
    if isinstance(node, ast.Assert):
        return field == "msg"
    return field in ("annotation", "returns", "decorator_list", "format_spec", "ctx")


def _is_left_alone(node: ast.AST, place: _Place) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)  # a docstring, or ...
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in ast.unparse(node.test) or "__name__" in ast.unparse(node.test)
    if isinstance(node, ast.Assign | ast.AnnAssign):
        return _names_type(node)
    if isinstance(node, ast.Subscript):
        return ast.unparse(node.value) in ("Literal", "ClassVar", "Final")
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) in ("cast", "TypeVar", "NewType", "ParamSpec")
    if isinstance(node, ast.keyword):
        return node.arg in _ARGUMENTS_LEFT_ALONE
    return isinstance(node, ast.JoinedStr) and place.is_message


def _names_type(node: ast.Assign | ast.AnnAssign) -> bool:
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    is_alias = isinstance(target, ast.Name) and re.fullmatch(r"_?[A-Z]\w*[a-z]\w*", target.id)
    return bool(is_alias) or ast.unparse(target) == "__all__"


def _is_message(call: ast.Call) -> bool:
    name = ast.unparse(call.func).rpartition(".")[2]
    return name in _SPEAKING or name.endswith(("Error", "Warning"))


# What is changed: the new node, and the text before and after

_Texts = tuple[ast.AST, str, str]

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}


def _changes(node: ast.expr | ast.stmt, place: _Place) -> Iterator[_Texts]:
    for kind, change in _BY_KIND.items():
        if isinstance(node, kind):
            before = ast.unparse(node)
            for new in change(node, place):
                yield new, before, ast.unparse(ast.fix_missing_locations(new))
    if isinstance(node, ast.Call):
        yield from _shorter_calls(node)
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        yield from _fixed_conditions(node)
    if _may_go(node, place):
        yield ast.Pass(), ast.unparse(node), LEFT_OUT


def _compare(node: ast.Compare, _: _Place) -> Iterator[ast.AST]:
    for index, operator in enumerate(node.ops):
        swapped = _COMPARISONS[type(operator)]()
        operators = [*node.ops[:index], swapped, *node.ops[index + 1 :]]
        yield ast.Compare(node.left, operators, node.comparators)


def _arithmetic(node: ast.BinOp, _: _Place) -> Iterator[ast.AST]:
    is_text = any(
        isinstance(side, ast.JoinedStr)
        or (isinstance(side, ast.Constant) and isinstance(side.value, str | bytes))
        for side in (node.left, node.right)
    )
    if not is_text and (swap := _OPERATORS.get(type(node.op))):
        yield ast.BinOp(node.left, swap(), node.right)


def _increment(node: ast.AugAssign, _: _Place) -> Iterator[ast.AST]:
    if swap := _OPERATORS.get(type(node.op)):
        yield ast.AugAssign(node.target, swap(), node.value)


def _logic(node: ast.BoolOp, _: _Place) -> Iterator[ast.AST]:
    yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    for index in range(len(node.values)):
        rest = [*node.values[:index], *node.values[index + 1 :]]
        yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _sign(node: ast.UnaryOp, _: _Place) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.Not | ast.USub):
        yield node.operand


def _constant(node: ast.Constant, place: _Place) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1 if value <= 16 else 2 * value)
    elif isinstance(value, float):
        yield ast.Constant(2 * value or 1.0)
    elif isinstance(value, bytes):
        yield ast.Constant(b"" if value else b"x")
    elif isinstance(value, str) and not (_is_prose(value) or (place.is_message and " " in value)):
        yield ast.Constant("" if value else "x")


def _is_prose(text: str) -> bool:
    return text.count(" ") >= 3 and not re.search(r"[;=<>{}]", text)


_CHANGED_ANYWAY = ast.Compare | ast.BoolOp | ast.UnaryOp  # each has its opposite


def _return(node: ast.Return, place: _Place) -> Iterator[ast.AST]:
    if node.value is None or place.returns is None or isinstance(node.value, ast.Constant):
        return
    annotation = ast.unparse(place.returns)
    if re.search(r"(^|\| )None\b|\bOptional\b", annotation):
        yield ast.Return(ast.Constant(None))
    elif annotation == "bool" and not isinstance(node.value, _CHANGED_ANYWAY):
        yield ast.Return(ast.UnaryOp(ast.Not(), node.value))


def _extreme(node: ast.Name, _: _Place) -> Iterator[ast.AST]:
    if node.id in ("min", "max"):
        yield ast.Name("max" if node.id == "min" else "min", ast.Load())


def _filter(node: ast.expr, _: _Place) -> Iterator[ast.AST]:
    """Leave the conditions of a comprehension out, one at a time."""
    assert isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp)
    for number, part in enumerate(node.generators):
        for index in range(len(part.ifs)):
            rest = [*part.ifs[:index], *part.ifs[index + 1 :]]
            shorter = ast.comprehension(part.target, part.iter, rest, part.is_async)
            parts = [*node.generators[:number], shorter, *node.generators[number + 1 :]]
            fields = {name: value for name, value in ast.iter_fields(node) if name != "generators"}
            yield type(node)(**fields, generators=parts)


def _shorter_calls(node: ast.Call) -> Iterator[_Texts]:
    for index, keyword in enumerate(node.keywords):
        if keyword.arg and keyword.arg not in _ARGUMENTS_LEFT_ALONE:
            rest = [*node.keywords[:index], *node.keywords[index + 1 :]]
            new = ast.Call(node.func, node.args, rest)
            yield new, f"{ast.unparse(node.func)}({ast.unparse(keyword)})", LEFT_OUT


def _fixed_conditions(node: ast.If | ast.IfExp | ast.While) -> Iterator[_Texts]:
    before = f"{'while' if isinstance(node, ast.While) else 'if'} {ast.unparse(node.test)}"
    for value in (False,) if isinstance(node, ast.While) else (True, False):
        fields = dict(ast.iter_fields(node)) | {"test": ast.Constant(value)}
        yield type(node)(**fields), before, f"{before.partition(' ')[0]} {value}"


def _may_go(node: ast.AST, place: _Place) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call)
    if isinstance(node, ast.Assign):
        own = all(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets)
        return own and not place.is_init  # without it, every later use is an AttributeError
    return isinstance(node, ast.AugAssign | ast.Continue)


_BY_KIND: dict[type | tuple[type, ...], Callable[..., Iterator[ast.AST]]] = {
    ast.Compare: _compare,
    ast.BinOp: _arithmetic,
    ast.AugAssign: _increment,
    ast.BoolOp: _logic,
    ast.UnaryOp: _sign,
    ast.Constant: _constant,
    ast.Return: _return,
    ast.Name: _extreme,
    (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp): _filter,
}


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
