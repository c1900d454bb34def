"""The rules of the house that no linter knows: the staircase inside each app, one door per library, and sizes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
APPS = ("annotation", "crowd", "review")
FOLDERS = (*APPS, "config", "client", "tests", "benchmarks")

FILE_LINES = 300
FUNCTION_LINES = 45
VIEW_METHOD_LINES = 15
SCRIPT_LINES = 200
NESTING = 3

# What a library may be imported by; everybody else goes through there.
DOORS = {
    "av": ("annotation.media",),
    "django_q": ("annotation.queue",),
    "channels": ("review.consumers", "review.routing", "config.asgi"),
    "uvicorn": ("config.web",),
    "storages": ("annotation.bucket",),
    "boto3": ("annotation.bucket",),
    "botocore": ("annotation.bucket",),
    "redis": ("config.checking",),
    "pyarrow": ("annotation.formats.parquet",),
    "httpx": ("crowd.simulating", "crowd.management"),
    "PIL": ("annotation.media", "config.demo"),
    "annotation.core.packing": ("annotation.recording", "annotation.formats.reading", "annotation.formats.child"),
    "scipy.optimize.linear_sum_assignment": ("annotation.core.matching",),
}
# The staircase: a module may import those of its own app on its own step or below. What is not named is a verb.
STEPS = {
    **dict.fromkeys(("core", "formats", "media", "ids", "errors", "signals"), 0),
    "lifecycle": 1,
    "models": 2,
    **dict.fromkeys(("jobs", "serializers"), 4),
    **dict.fromkeys(("api", "pages", "consumers", "receivers", "management", "templatetags"), 5),
    **dict.fromkeys(("urls", "page_urls", "routing"), 6),
}
VERB = 3
NESTS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in sorted((PROJECT / folder).rglob("*.py")) if "migrations" not in path.parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def module_of(path: Path) -> str:
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every name that is imported, in full ("package.module.name"), with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((name.name, node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from ((f"{node.module}.{name.name}", node.lineno) for name in node.names)


def within(name: str, place: str) -> bool:
    return name == place or name.startswith(f"{place}.")


def closed_doors(module: str, tree: ast.AST) -> list[str]:
    """The imports of `module` that go past a door."""
    return [
        f"{module}:{line} imports {name}"
        for name, line in imports_of(tree)
        for library, doors in DOORS.items()
        if within(name, library) and not any(within(module, door) for door in doors)
    ]


def climbed_stairs(module: str, tree: ast.AST) -> list[str]:
    """The imports of `module` from a higher step of its own app."""
    app, *rest = module.split(".")
    own = STEPS.get(rest[0], VERB) if rest else 0
    found = []
    for name, line in imports_of(tree):
        other, *steps = name.split(".")
        if other == app and steps and STEPS.get(steps[0], VERB) > own:
            found.append(f"{module}:{line} imports {name}")
    return found


def calls_of(path: Path, owner: str, name: str) -> list[str]:
    """Where `owner.name(…)` is called: module and function."""
    return [
        f"{module_of(path)}.{function.name}"
        for function in functions_of(tree_of(path))
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and node.attr == name and getattr(node.value, "id", "") == owner
    ]


def functions_of(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, without the docstring and without decorators."""
    first = function.body[0]
    is_docstring = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    return function.end_lineno - function.lineno + 1 - (first.end_lineno - first.lineno + 1 if is_docstring else 0)


def depth_of(node: ast.AST, depth: int = 0) -> int:
    """How deep blocks lie in blocks; an `elif` is no deeper than its `if`, and a function inside starts anew."""
    deepest = depth
    for name, child in ((name, child) for name, value in ast.iter_fields(node) for child in _nodes(value)):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        is_elif = isinstance(node, ast.If) and name == "orelse" and isinstance(child, ast.If) and len(node.orelse) == 1
        deepest = max(deepest, depth_of(child, depth + (isinstance(child, NESTS) and not is_elif)))
    return deepest


def _nodes(value: object) -> list[ast.AST]:
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, ast.AST)]


def test_a_library_is_used_through_its_one_door() -> None:
    past = [found for path in sources(*APPS, "config") for found in closed_doors(module_of(path), tree_of(path))]
    assert past == []


def test_one_function_opens_media_files() -> None:
    found = [call for path in sources(*APPS, "config") for call in calls_of(path, "av", "open")]
    assert found == ["annotation.media.opening._open"]


def test_a_module_imports_its_own_app_only_from_below() -> None:
    up = [found for path in sources(*APPS) for found in climbed_stairs(module_of(path), tree_of(path))]
    assert up == []


def test_the_client_knows_nothing_of_the_server() -> None:
    names = [name for path in sources("client") for name, _ in imports_of(tree_of(path))]
    assert {name.partition(".")[0] for name in names} & {*APPS, "config", "django", "rest_framework"} == set()
    assert names


@pytest.mark.parametrize(
    ("module", "source", "rule"),
    [
        ("crowd.claiming", "import av", closed_doors),
        ("crowd.claiming", "from django_q.tasks import async_task", closed_doors),
        ("annotation.media.opening", "import httpx", closed_doors),
        ("crowd.publishing", "from annotation.core.packing import unpack", closed_doors),
        ("review.core.x", "from scipy.optimize import linear_sum_assignment", closed_doors),
        ("crowd.models.seats", "from crowd.claiming import claim", climbed_stairs),
        ("crowd.claiming", "from crowd import jobs", climbed_stairs),
        ("crowd.api.seats", "from crowd.urls import urlpatterns", climbed_stairs),
    ],
)
def test_the_rules_catch_what_they_forbid(module: str, source: str, rule) -> None:
    assert rule(module, ast.parse(source))


def test_no_file_is_too_long() -> None:
    lengths = {str(path.relative_to(PROJECT)): len(path.read_text().splitlines()) for path in sources(*FOLDERS)}
    assert {name: lines for name, lines in lengths.items() if lines > FILE_LINES} == {}


def test_no_function_is_too_long() -> None:
    found = [
        f"{path.relative_to(PROJECT)}:{function.lineno} {function.name} {lines_of(function)}"
        for path in sources(*APPS, "config", "client", "benchmarks")
        for function in functions_of(tree_of(path))
        if lines_of(function) > FUNCTION_LINES
    ]
    assert found == []


def test_no_view_does_the_work_itself() -> None:
    views = [path for path in sources(*APPS) if {"api", "pages", "api.py", "pages.py"} & set(path.parts)]
    found = [
        f"{path.relative_to(PROJECT)}:{function.lineno} {function.name} {lines_of(function)}"
        for path in views
        for function in functions_of(tree_of(path))
        if lines_of(function) > VIEW_METHOD_LINES and not function.name.startswith("_")
    ]
    assert found == []


def test_nothing_is_nested_too_deeply() -> None:
    found = [
        f"{path.relative_to(PROJECT)}:{function.lineno} {function.name} {depth_of(function)}"
        for path in sources(*APPS, "config", "client", "benchmarks")
        for function in functions_of(tree_of(path))
        if depth_of(function) > NESTING
    ]
    assert found == []


def test_no_script_template_or_style_is_too_long() -> None:
    paths = [path for folder in ("static", "templates") for path in (PROJECT / folder).rglob("*.*")]
    kinds = {".js", ".html"}
    found = {str(p.relative_to(PROJECT)): len(p.read_text().splitlines()) for p in paths if p.suffix in kinds}
    assert {name: lines for name, lines in found.items() if lines > SCRIPT_LINES} == {}


def test_packages_hold_no_logic_in_their_init() -> None:
    allowed = ast.Import | ast.ImportFrom | ast.Assign | ast.Expr
    found = [
        f"{path.relative_to(PROJECT)}:{node.lineno}"
        for path in sources(*APPS, "config")
        if path.name == "__init__.py"
        for node in tree_of(path).body
        if not isinstance(node, allowed)
    ]
    assert found == []


def test_there_is_no_drawer() -> None:
    drawers = {"utils.py", "util.py", "helpers.py", "misc.py", "common.py"}
    assert [str(path) for path in sources(*FOLDERS) if path.name in drawers] == []
