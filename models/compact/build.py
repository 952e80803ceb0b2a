"""The whole compact model in PuLP: variables, costs, every rule's rows."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.compact.awards import award_rows
from models.compact.costs import objective
from models.compact.rules import RULES, Row
from models.compact.variables import Model, Terms, new_model
from models.problem import Problem


@dataclass(frozen=True)
class Built:
    """A finished model; `rows_of_label` gives the rows of each award rule by its label."""

    model: Model
    rows_of_label: dict[str, list[int]] = field(default_factory=dict)


def build(problem: Problem) -> Built:
    """The compact model of a problem. Raises ValueError for an award rule of unknown name."""
    import pulp

    built = Built(new_model(problem))
    model = built.model
    model.prob.setObjective(pulp.LpAffineExpression(_summed(objective(model))))
    count = 0
    for name, rule in RULES.items():
        for row in rule(model):
            _add(model, name, row)
            count += 1
    for name, row in award_rows(model):
        _add(model, name, row)
        built.rows_of_label.setdefault(row.label, []).append(count)
        count += 1
    return built


def _add(model: Model, name: str, row: Row) -> None:
    """One row as a PuLP constraint called `name(key)`."""
    import pulp

    sense = {"<=": pulp.LpConstraintLE, ">=": pulp.LpConstraintGE, "==": pulp.LpConstraintEQ}
    terms = _summed(row.terms)
    if not terms:  # no variable can change it: keep it, readers of LP files want a variable
        terms = {model.variables.choose[0]: 0.0}
    expression = pulp.LpAffineExpression(terms)
    model.prob.addConstraint(
        pulp.LpConstraint(expression, sense[row.sense], f"{name}({row.key})", row.rhs)
    )


def _summed(terms: Terms) -> dict[object, float]:
    """Coefficients by variable, those of a variable that stands twice added up, zeros left out."""
    total: dict[object, float] = {}
    for variable, coefficient in terms:
        total[variable] = total.get(variable, 0.0) + coefficient
    return {variable: value for variable, value in total.items() if value}
