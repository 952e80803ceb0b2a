"""Data flows one way: tables -> problem -> result -> plan -> report; nobody reaches back."""

import ast
import tomllib
from pathlib import Path

import allocator
import models

ALLOCATOR = Path(allocator.__file__).parent
MODELS = Path(models.__file__).parent


def imports(file: Path) -> set[str]:
    """Top-level names of all modules that a file imports, at the top or inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def offenders(folder: Path, banned: set[str]) -> list[str]:
    return [
        f"{file.relative_to(folder)} imports {name}"
        for file in sorted(folder.rglob("*.py"))
        for name in sorted(imports(file))
        if any(name == bad or name.startswith(bad + ".") for bad in banned)
    ]


def test_models_know_no_files_tables_or_command_line():
    assert offenders(MODELS, {"allocator", "cli", "click", "csv", "rich", "pandas"}) == []


def test_the_domain_knows_no_command_line():
    assert offenders(ALLOCATOR, {"cli", "click", "tests", "benchmarks"}) == []


def test_the_audit_shares_nothing_with_the_models_and_uses_no_solver():
    assert offenders(ALLOCATOR / "audit", {"models", "highspy", "pulp", "ortools"}) == []


def test_no_module_hides_a_public_function():
    names = {file.stem for file in ALLOCATOR.glob("*.py")} | {
        folder.name for folder in ALLOCATOR.iterdir() if folder.is_dir()
    }
    assert names & set(allocator.PUBLIC) == set()


def test_public_functions_exist():
    assert all(callable(getattr(allocator, name)) for name in allocator.PUBLIC)
    assert set(allocator.PUBLIC) <= set(dir(allocator))


def test_every_package_is_shipped():
    root = Path(__file__).resolve().parent.parent
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    shipped = set(project["tool"]["setuptools"]["packages"])
    found = {
        ".".join(file.parent.relative_to(top.parent).parts)
        for top in (ALLOCATOR, MODELS)
        for file in top.rglob("__init__.py")
    }
    assert found == shipped
