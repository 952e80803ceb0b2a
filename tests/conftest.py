"""Options and fixtures that the whole suite shares."""

from __future__ import annotations

import importlib.util

import pytest

#: Solvers that the shared tests run over where `--solvers` does not say otherwise.
DEFAULT_SOLVERS = "highs,patterns,cpsat"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--solvers",
        default=DEFAULT_SOLVERS,
        help="comma-separated solvers that the tests of plans run over (highs, patterns, cpsat, "
        "cbc, auto)",
    )


def _module(solver: str) -> str:
    from models.solve import SOLVERS

    return SOLVERS[solver][0]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with a `solver` argument once for each solver asked for."""
    if "solver" in metafunc.fixturenames:
        asked = metafunc.config.getoption("--solvers").split(",")
        known = [name for name in asked if importlib.util.find_spec(_module(name)) is not None]
        metafunc.parametrize("solver", known)
