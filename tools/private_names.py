"""Counts the private names of aiortc, aioice and pylibsrtp in use: `python -m tools.private_names`.

Private is what begins with an underscore in one of these packages, mangled names included, however
it is reached: as an attribute, as a method that is defined or overridden, or as a string (handed
to getattr, setattr, a patch, or whatever else). In `gaze/rtc/aiortc_ext` every such name counts,
also where a class of our own happens to use the same one. Elsewhere those of `self` count only in
classes that inherit them from the libraries'. The lists are:

- `gaze`: the names that count, at most 45, and none outside `gaze/rtc/aiortc_ext`;
- viewers: those of simulation, benchmarks and tests, which take stock clients of aiortc apart to
  lose, number and time packets;
- undocumented: names without an underscore that the packages do not export from their top level.
"""

import argparse
import ast
import importlib.util
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("aiortc", "aioice", "pylibsrtp")
LIMIT = 45
HOME = "gaze/rtc/aiortc_ext/"
TABLE = HOME + "relied_upon.py"  # names them all, and uses none

_PRIVATE = re.compile(r"_(?!_)\w+|__\w*(?<!__)")


@dataclass(frozen=True, order=True, slots=True)
class Use:
    """One place where a name is used.

    Attributes
    ----------
    name : str
        The name; of undocumented ones with its module.
    path : str
        Of the file, from the root of the project.
    line : int
        In it, from 1.
    """

    name: str
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Library:
    """The private names of the libraries.

    Attributes
    ----------
    names : frozenset of str
        All, mangled where Python mangles them.
    by_class : dict
        Those of each class and its bases, by the class's name.
    """

    names: frozenset[str]
    by_class: dict[str, set[str]]


def private_names() -> Library:
    """Return the private names of the libraries that are installed."""
    names: set[str] = set()
    by_class: dict[str, set[str]] = {}
    bases: dict[str, list[str]] = {}
    for tree in _library_trees():
        names |= _private_in(tree, "")
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                by_class.setdefault(node.name, set()).update(_private_in(node, ""))
                bases[node.name] = [ast.unparse(base).rsplit(".", 1)[-1] for base in node.bases]
    for name in by_class:
        pending = list(bases[name])
        while pending:
            base = pending.pop()
            by_class[name] |= by_class.get(base, set())
            pending += bases.get(base, [])
    return Library(frozenset(names), by_class)


def _library_trees() -> Iterator[ast.Module]:
    for package in PACKAGES:
        for path in sorted(_folder(package).rglob("*.py")):
            yield ast.parse(path.read_text(encoding="utf-8"))


def _folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.submodule_search_locations  # noqa: S101 - an invariant, which also narrows the type
    return Path(spec.submodule_search_locations[0])


def _private_in(node: ast.AST, owner: str) -> set[str]:
    """Return the private names in a tree, whose innermost class is `owner`."""
    names: set[str] = set()
    if isinstance(node, ast.ClassDef):
        owner = node.name
    for name in _names_of(node):
        if _PRIVATE.fullmatch(name):
            mangled = name.startswith("__") and owner
            names.add(f"_{owner.lstrip('_')}{name}" if mangled else name)
    for child in ast.iter_child_nodes(node):
        names |= _private_in(child, owner)
    return names


def _names_of(node: ast.AST) -> tuple[str, ...]:
    """Return what a node names: an attribute, a definition, a module or class variable."""
    if isinstance(node, ast.Attribute):
        return (node.attr,)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return (node.name,)
    if isinstance(node, ast.Module | ast.ClassDef):
        return ()
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return tuple(target.id for target in targets if isinstance(target, ast.Name))
    return ()


def uses(root: Path, folders: Iterable[str], library: Library) -> list[Use]:
    """Return the uses of private names in some folders.

    Parameters
    ----------
    root : Path
        Of the project.
    folders : iterable of str
        In it.
    library : Library
        The libraries' private names.

    Returns
    -------
    list of Use
        Sorted by name.
    """
    found: set[Use] = set()
    for path in _files(root, folders):
        where = path.relative_to(root).as_posix()
        if where == TABLE:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        strict = where.startswith(HOME)
        for node, inherited in _with_inherited(tree, library):
            for name in _used(node, library.names if strict else inherited):
                if name in library.names:
                    found.add(Use(name, where, getattr(node, "lineno", 0)))
    return sorted(found)


def undocumented(root: Path, folders: Iterable[str]) -> list[Use]:
    """Return the imports of names that the libraries do not export from their top level.

    Parameters
    ----------
    root : Path
        Of the project.
    folders : iterable of str
        In it.

    Returns
    -------
    list of Use
        Sorted by name.
    """
    exported = {package: _exported(package) for package in PACKAGES}
    found: set[Use] = set()
    for path in _files(root, folders):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or node.level or not node.module:
                continue
            package = node.module.split(".")[0]
            for alias in node.names if package in PACKAGES else []:
                if alias.name not in exported[package]:
                    where = path.relative_to(root).as_posix()
                    found.add(Use(f"{node.module}:{alias.name}", where, node.lineno))
    return sorted(found)


def _exported(package: str) -> set[str]:
    tree = ast.parse((_folder(package) / "__init__.py").read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def _files(root: Path, folders: Iterable[str]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((root / folder).rglob("*.py"))


def _with_inherited(tree: ast.Module, library: Library) -> Iterator[tuple[ast.AST, frozenset[str]]]:
    """Yield every node, and the private names that its class inherits from the libraries'."""
    aliases = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    inherited: dict[str, frozenset[str]] = {}

    def walk(node: ast.AST, names: frozenset[str]) -> Iterator[tuple[ast.AST, frozenset[str]]]:
        if isinstance(node, ast.ClassDef):
            names = frozenset()
            for base in node.bases:
                name = ast.unparse(base).split("[")[0].rsplit(".", 1)[-1]
                name = aliases.get(name, name)
                names |= inherited.get(name) or frozenset(library.by_class.get(name, ()))
            inherited[node.name] = names
        yield node, names
        for child in ast.iter_child_nodes(node):
            yield from walk(child, names)

    yield from walk(tree, frozenset())


def _used(node: ast.AST, inherited: frozenset[str]) -> Iterator[str]:
    """Yield the private names that a node uses.

    Of those of `self`, and those that it defines, only the inherited ones.
    """
    if isinstance(node, ast.Attribute):
        own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
        if not own or node.attr in inherited:
            yield node.attr
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        last = node.value.rsplit(".", 1)[-1]
        if _PRIVATE.fullmatch(last):
            yield last
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            if alias.name.startswith("_"):
                yield alias.name
    else:
        yield from (name for name in _names_of(node) if name in inherited)


def _show(title: str, found: list[Use]) -> None:
    names = sorted({use.name for use in found})
    print(f"{title}: {len(names)}")
    for name in names:
        places = ", ".join(f"{use.path}:{use.line}" for use in found if use.name == name)
        print(f"  {name:44} {places}")


def main() -> int:
    """Print the lists.

    Returns
    -------
    int
        Exit status: 1 if there are too many, or some outside `aiortc_ext`.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.private_names", description=__doc__)
    parser.add_argument("--all", action="store_true", help="also viewers and undocumented names")
    flags = parser.parse_args()
    library = private_names()
    ours = uses(ROOT, ["gaze"], library)
    strays = [use for use in ours if not use.path.startswith(HOME)]
    _show(f"private names in gaze (at most {LIMIT}, all in {HOME})", ours)
    if flags.all:
        viewers = uses(ROOT, ["simulation", "benchmarks", "tests", "tools"], library)
        _show("private names in stock viewers", viewers)
        _show("undocumented names in gaze", undocumented(ROOT, ["gaze"]))
    return int(len({use.name for use in ours}) > LIMIT or bool(strays))


if __name__ == "__main__":
    raise SystemExit(main())
