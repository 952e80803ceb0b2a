"""What the audit is built of, what it says without a plan, and what it never does."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import allocator
from allocator import audit as package
from allocator.audit import RULES, AuditFinding, AuditReport, agree, audit
from allocator.compile import compile_problem
from allocator.read import read_portfolio
from models.result import Result
from tests.allocator.audit.example import write_example, write_inputs

ROOT = Path(allocator.__file__).parent.parent
PAGE = (Path(__file__).parents[3] / "docs" / "audit.md").read_text(encoding="utf-8")

#: Modules that write or compile what the audit checks, or that solve.
FORBIDDEN = (
    "models",
    "highspy",
    "pulp",
    "ortools",
    "numba",
    "allocator.compile",
    "allocator.compile_tables",
    "allocator.compile_rules",
    "allocator.plan",
    "allocator.plan_detail",
    "allocator.plan_tables",
    "allocator.files",
    "allocator.record",
    "allocator.engine",
)

#: What the audit works out itself; the reader and the risk may use these, the audit may not.
NOT_ITSELF = ("allocator.eligibility", "allocator.gates", "allocator.calendar")


def imported(module: str) -> set[str]:
    """Modules of the project that a module imports, anywhere in its code."""
    path = ROOT / module.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not file.is_file():
        return set()
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_nothing_that_the_audit_reaches_belongs_to_what_it_checks():
    folder = Path(package.__file__).parent
    todo = {f"allocator.audit.{file.stem}" for file in folder.glob("*.py")} | {"allocator.audit"}
    seen: set[str] = set()
    while todo:
        module = todo.pop()
        seen.add(module)
        todo |= {name for name in imported(module) if name.startswith("allocator.")} - seen
        own = NOT_ITSELF if module.startswith("allocator.audit") else ()
        forbidden = (*FORBIDDEN, *own)
        bad = [n for n in imported(module) for f in forbidden if n == f or n.startswith(f + ".")]
        assert not bad, f"{module} imports {bad}"
    assert "allocator.read" in seen


def test_an_audit_loads_no_solver(tmp_path):
    _, run, _ = write_example(tmp_path / "run", write_inputs(tmp_path / "inputs"))
    code = (
        "import sys; from allocator.audit import audit; assert audit(sys.argv[1]).passed;"
        "print(*[m for m in sys.modules if m.split('.')[0] in"
        " ('models', 'highspy', 'pulp', 'ortools', 'numba')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(run)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_the_page_and_the_rules_are_the_same_list():
    rows = dict(
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.splitlines()
        if line.startswith("| `")
    )
    documented = {name.strip("`"): sentence for name, sentence in rows.items()}
    rules = RULES | {"files": agree.files, "record": agree.record}
    sentences = {name: (rule.__doc__ or "").splitlines()[0] for name, rule in rules.items()}
    assert documented == sentences


def test_a_folder_without_a_run_is_a_list_of_findings(tmp_path):
    report = audit(tmp_path)
    assert not report.passed
    wheres = {finding.where for finding in report.findings}
    assert {"plan.json", "record.json", "costs.csv", "inputs"} <= wheres


def test_a_finding_reads_as_one_line():
    finding = AuditFinding("line_days", "L1 2027Q2", "31 of 30 days are used")
    assert str(finding) == "line_days L1 2027Q2: 31 of 30 days are used"
    assert not AuditReport((finding,)).passed
    assert AuditReport(()).passed


@pytest.fixture
def without_plan(tmp_path):
    inputs = write_inputs(tmp_path / "inputs")
    result = Result("infeasible", None, None, None, None, "hand", 0.0, ("max_cmos",))
    plan, run, report = write_example(tmp_path / "run", inputs, result=result)
    assert report.passed, report.findings
    assert plan["conflict"] == ["max_cmos"]
    return run


def test_a_run_without_a_plan_passes_and_has_no_numbers(without_plan):
    plan = json.loads((without_plan / "plan.json").read_text())
    figures = ("objective", "bound", "gap", "cash_cost", "on_time_share", "months_short")
    assert [plan[key] for key in figures] == [None] * len(figures)
    assert set(plan["cost_lines"].values()) == {None}
    assert (without_plan / "costs.csv").read_text() == "line,program_id,cmo_id,period,amount\n"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("objective", 1.0),
        ("gap", 0.0),
        ("on_time_share", 1.0),
        ("status", "optimal"),
        ("status", "feasible"),
        ("status", "no_plan"),
        ("cmos", [{"cmo_id": "K1"}]),
    ],
)
def test_numbers_without_a_plan_are_found(without_plan, key, value):
    path = without_plan / "plan.json"
    plan = json.loads(path.read_text())
    plan[key] = value
    path.write_text(json.dumps(plan))
    assert "files" in {finding.rule for finding in audit(without_plan).findings}


def test_rows_without_a_plan_are_found(without_plan):
    with (without_plan / "risk.csv").open("a") as stream:
        stream.write("P1,single,0,0,0\n")
    assert "files" in {finding.rule for finding in audit(without_plan).findings}


def test_a_long_list_of_one_fault_is_cut(tmp_path):
    _, run, _ = write_example(tmp_path / "run", write_inputs(tmp_path / "inputs"))
    lines = (run / "costs.csv").read_text().splitlines()
    (run / "costs.csv").write_text("\n".join(lines[:1]) + "\n")
    whats = [finding.what for finding in audit(run).findings if finding.rule == "files"]
    assert len(whats) == 51
    assert whats[-1].startswith("and ")


def test_a_rule_that_cannot_be_checked_is_a_finding(tmp_path, monkeypatch):
    _, run, _ = write_example(tmp_path / "run", write_inputs(tmp_path / "inputs"))

    def broken(_):
        raise KeyError("P1")

    monkeypatch.setitem(RULES, "flow", broken)
    assert audit(run).findings == (AuditFinding("flow", "", "cannot be checked: KeyError 'P1'"),)


@pytest.mark.parametrize("sourcing", [None, "single", "dual", "free"])
def test_a_solved_plan_passes(tmp_path, sourcing):
    from models.solve import Settings, solve

    inputs = write_inputs(
        tmp_path / "inputs",
        [
            ("portfolio.csv", "900000,dual", "900000,"),
            ("policy.toml", "", '\n[[rule]]\nname = "min_cmos"\nlimit = 3\n'),
        ],
    )
    compiled = compile_problem(read_portfolio(inputs), sourcing)
    result = solve(compiled.problem, "highs", Settings(gap=0.0))
    _, _, report = write_example(None, inputs, result=result, sourcing=sourcing)
    assert result.status == "optimal"
    assert report.findings == ()


def test_a_scenario_is_laid_over_the_copied_inputs(tmp_path):
    inputs = write_inputs(tmp_path / "inputs")
    scenario = tmp_path / "more.toml"
    scenario.write_text("[demand]\nall = 1.1\n")
    _, run, report = write_example(tmp_path / "run", inputs, scenario=scenario)
    assert report.findings == ()
    (run / "inputs" / "scenario.toml").unlink()
    assert {"record", "flow", "costs"} <= {finding.rule for finding in audit(run).findings}


def test_the_audit_knows_every_award_rule_and_every_rule_of_the_compact_model():
    from allocator.rules import KINDS
    from models.compact.rules import RULES as COMPACT

    # which streams and offers are chosen is the model's own bookkeeping
    modelled = set(COMPACT) - {"stream_chosen", "offer_chosen"}
    assert set(KINDS) | modelled <= RULES.keys()
