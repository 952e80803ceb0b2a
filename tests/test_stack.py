"""The tripwire for whoever lifts a pin: every order of imports works, every solver is right.

highspy and ortools each carry a HiGHS library of one name; versions that differ crash each other
in one process, and highspy 1.14.0 gives wrong optima (docs/decisions.md).
"""

import itertools
import subprocess
import sys

import pytest

SOLVE = {
    "pulp": """
import pulp
p = pulp.LpProblem('p', pulp.LpMinimize)
x = p.add_variable('x', 0, 10); z = p.add_variable('z', 0, 10, 'Integer')
p += 2 * x + 3 * z
p += x + z >= 4.5
p.solve(pulp.PULP_CBC_CMD(msg=False))
assert abs(pulp.value(p.objective) - 9) < 1e-6, pulp.value(p.objective)
""",
    "highspy": """
import highspy
h = highspy.Highs(); h.setOptionValue('output_flag', False)
x = h.addVariable(0, 10); z = h.addIntegral(0, 10)
h.addConstr(x + z >= 4.5)
h.minimize(2 * x + 3 * z)
assert abs(h.getInfo().objective_function_value - 9) < 1e-6
""",
    "ortools": """
from ortools.sat.python import cp_model
m = cp_model.CpModel()
x = m.new_int_var(0, 100, 'x'); z = m.new_int_var(0, 10, 'z')
m.add(x + 10 * z >= 45); m.minimize(2 * x + 30 * z)
s = cp_model.CpSolver(); s.parameters.num_workers = 1
assert s.solve(m) == cp_model.OPTIMAL and s.objective_value == 90
""",
}


@pytest.mark.parametrize("order", list(itertools.permutations(SOLVE)), ids="-".join)
def test_every_order_of_imports_solves_right(order):
    imports = "\n".join(
        "from ortools.sat.python import cp_model" if name == "ortools" else f"import {name}"
        for name in order
    )
    script = imports + "".join(SOLVE[name] for name in order)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
