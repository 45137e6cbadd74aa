"""The laws that can be read off the source: import direction, single owners, locality of neurons, clean texts."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "abm"

# Lowest first; a module imports only from layers below its own. In the layers marked True the parts of one layer may
# also import each other; in the others they do not, whoever is above hands arrays over.
LAYERS: list[tuple[set[str], bool]] = [
    (
        {"clock", "columns", "compiled", "elementary", "errors", "loops", "metric_names", "signals"}
        | {"streams", "sums", "units", "vectors", "yaml_lines"},
        True,
    ),
    ({"parameters"}, False),
    ({"config", "schedule"}, True),
    ({"body", "barrier", "tissue", "epigenome", "expression", "synapses"}, False),
    ({"neurons", "promoters", "wiring"}, False),
    ({"network", "population"}, False),
    ({"layout", "observation"}, False),
    ({"expectation", "forcing", "metrics", "well_mixed"}, False),
    ({"model"}, False),
    ({"warm_up"}, False),
    ({"study"}, False),
    ({"view"}, False),
    ({"cli"}, False),
    ({"__init__", "__main__"}, False),
]
RANK = {part: rank for rank, (parts, _) in enumerate(LAYERS) for part in parts}

# Library -> the parts that may know it.
OWNERS = {
    "argparse": {"cli"},
    "numba": {"elementary", "loops", "sums", "vectors"},
    "llvmlite": {"elementary", "sums", "vectors"},
    "mesa": {"columns", "model"},
    "pint": {"units"},
    "pydantic": {"config", "units"},
    "solara": {"view"},
    "random": set(),
}
LOCAL_PARTS = {"epigenome", "expectation", "expression", "synapses", "network", "neurons", "population", "promoters"}
LOCAL_PARTS |= {"wiring"}
TRAINING_WORDS = {"schedule", "session", "bout", "exercise", "training", "timeline", "clock", "weekday", "calendar"}
SPEAKING_PARTS = {"cli", "view"}

MODULES = sorted(PACKAGE.rglob("*.py"))
Scope = ast.Module | ast.ClassDef


def label(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def part_of(path: Path) -> str:
    """The part a module belongs to: its file or folder directly below the package."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported(path: Path) -> Iterator[str]:
    """Dotted name of everything a module imports, at the top or inside a function, relative names resolved."""
    package = ["abm", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def imported_parts(path: Path) -> set[str]:
    """Parts of this package that a module imports from, its own left out."""
    dotted = [name.split(".") for name in imported(path)]
    parts = {names[1] if len(names) > 1 else "__init__" for names in dotted if names[0] == "abm"}
    parts -= {part_of(path), "__version__"}
    return {part if part in RANK or (PACKAGE / part).exists() else "__init__" for part in parts}


def words(identifier: str) -> set[str]:
    """Words of an identifier or a text in lower case, each with its plural -s and participle -d taken off as well."""
    found = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", identifier)}
    return found | {word[:-1] for word in found if word.endswith(("s", "d"))}


def scopes(tree: ast.Module) -> Iterator[Scope]:
    """The module and its public classes."""
    yield tree
    yield from (node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_"))


def public_names(tree: ast.Module) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Public classes, functions and methods; of a property its getter only, of a protocol not its bare signatures."""
    for scope in scopes(tree):
        for node in scope.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                decorators = {ast.unparse(item).split(".")[-1] for item in node.decorator_list}
                declared = [ast.unparse(line) for line in node.body] == ["..."]
                if not (node.name.startswith("_") or declared or decorators & {"overload", "setter"}):
                    yield node


def docstrings(tree: ast.Module) -> set[int]:
    """Identities of the constants that are docstrings."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, Scope | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                found.add(id(first.value))
    return found


def identifiers(tree: ast.Module) -> Iterator[str]:
    """Every name a module uses, defines or imports, and its texts other than docstrings."""
    silent = docstrings(tree)
    for node in ast.walk(tree):
        for field in ("id", "attr", "arg", "name", "asname", "module"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                yield value
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            yield node.value


def repository_files() -> list[Path]:
    """Files of the repository: those git knows or would add; without git, those of the known folders."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listing = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
        names = [ROOT / name for name in listing.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        folders = ("abm", "configs", "tests", "benchmarks", ".ci")
        names = [path for folder in folders for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts]
        names += [path for path in ROOT.iterdir() if path.suffix in {".py", ".md", ".toml", ".cff"}]
    return sorted(path for path in names if path.is_file())


each_module = pytest.mark.parametrize("path", MODULES, ids=label)


@each_module
def test_imports_point_downward(path: Path) -> None:
    part = part_of(path)
    assert part in RANK, f"{label(path)} has no place in LAYERS"
    rank = RANK[part]
    siblings = LAYERS[rank][0] if LAYERS[rank][1] else set()
    wrong = {other for other in imported_parts(path) if RANK[other] >= rank and other not in siblings}
    assert wrong == set(), f"{part} must not import from {sorted(wrong)}"


def test_parts_do_not_import_each_other_in_a_circle() -> None:
    needs: dict[str, set[str]] = {}
    for path in MODULES:
        needs.setdefault(part_of(path), set()).update(imported_parts(path))
    free: set[str] = set()
    while ready := {part for part, others in needs.items() if part not in free and others & needs.keys() <= free}:
        free |= ready
    assert sorted(needs.keys() - free) == []


@each_module
def test_libraries_have_one_owner(path: Path) -> None:
    used = {name.split(".")[0] for name in imported(path)} & OWNERS.keys()
    assert {library for library in used if part_of(path) not in OWNERS[library]} == set()


@each_module
def test_draws_come_from_streams_only(path: Path) -> None:
    """Others may be handed a NumPy generator; they may not make one, nor use those that a Mesa model carries."""
    drawing = {name for name in imported(path) if name.startswith("numpy.random")}
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value)
            if owner in {"np.random", "numpy.random"} and node.attr != "Generator":
                drawing.add(ast.unparse(node))
            if owner.split(".")[-1] in {"model", "self"} and node.attr in {"random", "rng"}:
                drawing.add(ast.unparse(node))
    assert part_of(path) == "streams" or drawing == set()


@pytest.mark.parametrize("path", [path for path in MODULES if part_of(path) in LOCAL_PARTS], ids=label)
def test_neurons_do_not_know_of_training(path: Path) -> None:
    told = {name for name in identifiers(tree_of(path)) if words(name) & TRAINING_WORDS}
    assert told == set()
    assert imported_parts(path) & {"body", "clock", "config", "model", "schedule"} == set()


@each_module
def test_only_the_command_line_and_the_views_print(path: Path) -> None:
    calls = [node.func for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]
    prints = [call.lineno for call in calls if isinstance(call, ast.Name) and call.id == "print"]
    assert part_of(path) in SPEAKING_PARTS or prints == []


@each_module
def test_public_names_have_docstrings(path: Path) -> None:
    tree = tree_of(path)
    assert ast.get_docstring(tree) or not tree.body, "the module has no docstring"
    assert [node.name for node in public_names(tree) if not ast.get_docstring(node)] == []


def test_the_command_line_starts_light() -> None:
    heavy = {"matplotlib", "mesa", "numba", "numpy", "pandas", "pint", "pydantic", "scipy", "xarray", "zarr"}
    code = "import sys, abm.cli; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    assert heavy & set(loaded.split()) == set()


# Written so that this file does not contain what it looks for.
UNFINISHED = re.compile(r"\b(?:TO[D]O|FIX[M]E|X[X]X)\b")
MACHINE = re.compile(r"(?<![\w.:/~-])/(?:work|root|home|opt|mnt|Users)/|py[p]i\.org|python[h]osted\.org|/py[p]i/simple")


def test_texts_are_finished_and_name_no_machine() -> None:
    faults: dict[str, list[str]] = {}
    for path in repository_files():
        content = path.read_bytes()
        if b"\0" not in content:
            text = content.decode("utf-8")
            faults[path.relative_to(ROOT).as_posix()] = UNFINISHED.findall(text) + MACHINE.findall(text)
    assert {name: found for name, found in faults.items() if found} == {}
