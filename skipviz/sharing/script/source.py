"""Functions and classes of ours as they stand, for a script: read from their files, so that torch is not imported to print them."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]
_GIVEN = ("__future__", "collections.abc", "torch", "torch.nn", "numpy", "PIL")
"""Modules whose imports a script has anyway, or needs for no more than annotations."""
WRITTEN = "fill"
"""A function that a script has with no more schemes than it uses."""


@dataclass
class Sources:
    """What a script has of ours: the imports, and each function, class or constant by name, after all that it uses."""

    imports: set[str] = field(default_factory=set)
    parts: dict[str, str] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)
    """By name, the module that each is of."""

    def add(self, function: str) -> str:
        """Add a function or class `module:name`, with all that it uses of ours; return its name in a script."""
        module, name = function.split(":")
        if not module.startswith(f"{__name__.partition('.')[0]}."):
            return {"torch.nn.functional": "F"}[module] + f".{name}"
        self._add(module, name)
        return name

    def text(self) -> str:
        """Return the sources, constants first."""
        texts = list(dict.fromkeys(self.parts.values()))
        functions = [text for text in texts if text.startswith(("def ", "@", "class "))]
        constants = [text for text in texts if text not in functions]
        return "\n\n\n".join(["\n".join(constants), *functions] if constants else functions)

    def _add(self, module: str, name: str) -> None:
        lines, defined, imported = _read(module)
        if name in defined and self.homes.setdefault(name, module) != module:
            raise ValueError(f"a script cannot have {name} of {module} beside that of {self.homes[name]}")
        if name in {*self.parts, WRITTEN} or name not in {**defined, **imported}:
            return
        if name in imported:
            other, statement = imported[name]
            if statement is None:
                self._add(other, name)
            elif other not in _GIVEN:
                self.imports.add(statement)
            return
        node = defined[name]
        for used in [part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)]:
            if used != name:
                self._add(module, used)
        first = min(part.lineno for part in (node, *getattr(node, "decorator_list", ())))
        self.parts[name] = "\n".join(_without_annotations(node, lines)[first - 1 :])


def _without_annotations(node: ast.stmt, lines: list[str]) -> list[str]:
    """Return a file's lines up to the end of `node`, the heads of its functions on one line each, whose other lines are gone."""
    lines = lines[: node.end_lineno]
    heads = [part for part in ast.walk(node) if isinstance(part, ast.FunctionDef)]
    for head in sorted(heads, key=lambda head: head.lineno, reverse=True):
        written = f"{' ' * head.col_offset}def {head.name}({ast.unparse(head.args)}):"
        lines[head.lineno - 1 : head.body[0].lineno - 1] = [written]
    return lines


@cache
def _read(module: str) -> tuple[list[str], dict, dict]:
    """Return a file's lines, its definitions by name, and what it imports: the module, and the statement where it is not ours."""
    path = _ROOT.joinpath(*module.split(".")).with_suffix(".py")
    text = path.read_text(encoding="utf-8")
    defined, imported = {}, {}
    for node in _Bare().visit(ast.parse(text)).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            defined[node.name] = node
        elif isinstance(node, ast.Assign):
            targets = [name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)]
            defined |= dict.fromkeys(targets, node)
        elif isinstance(node, ast.Import):
            imported |= {alias.asname or alias.name.partition(".")[0]: (alias.name, ast.unparse(node)) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join([*module.split(".")[: -node.level], *filter(None, [node.module])]) if node.level else node.module
            statement = None if node.level else ast.unparse(node)
            imported |= {alias.asname or alias.name: (base, statement) for alias in node.names}
    return text.split("\n"), defined, imported


class _Bare(ast.NodeTransformer):
    """Takes annotations out."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(node.arg)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.returns = None
        return self.generic_visit(node)
