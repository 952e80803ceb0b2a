"""A plan found under one policy, taken over by another that allows it."""

from __future__ import annotations

from allocator.tradeoff.starting import read_decision
from allocator.tradeoff.tasks import Done, Task


def adopt(task: Task, former: Done, cheaper: Done) -> Done:
    """The run of `task` with the plan of `cheaper`, and the bound proven for `former`.

    Returns `former` where the plan does not fit the task's problem.
    """
    from allocator.compile import compile_problem
    from allocator.engine import Clock, write_outcome
    from allocator.read import read_portfolio
    from models.finish import valid_value
    from models.result import Result, status_of

    clock = Clock()
    compiled = compile_problem(read_portfolio(task.portfolio, task.scenario), task.sourcing)
    decision = read_decision(compiled.problem, cheaper.folder)
    value = None if decision is None else valid_value(compiled.problem, decision)
    if value is None or value.objective >= former.plan["objective"]:
        return former
    bound = former.plan["bound"]
    if bound is not None:
        bound = min(bound, value.objective)
    result = Result(
        status=status_of(value.objective, bound, task.gap),
        limit=former.plan["limit"],
        decision=decision,
        objective=value.objective,
        bound=bound,
        solver=former.plan["solver"],
        seconds=0.0,
        log=f"the plan of {cheaper.plan['sourcing']} sourcing, which is cheaper than the one found",
    )
    clock.lap("solve")
    outcome = write_outcome(
        compiled, result, task.portfolio, task.scenario, task.options, task.folder, clock
    )
    return Done(task.folder, outcome.plan, cost_bound=bound)
