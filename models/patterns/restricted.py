"""Plans from MIPs over columns at hand."""

from __future__ import annotations

import numpy as np

from models.patterns.columns import Book, Columns, join
from models.patterns.improving import expanded_lines
from models.patterns.part import Part, overfull, usage
from models.patterns.tally import Tally
from models.patterns.tree import Tree
from models.patterns.watch import Watch
from models.problem import Ints

#: Columns that take part in a polish, per program and at least; programs for each second that it
#: may take beyond ten.
POLISHED, POLISHED_LEAST, PER_SECOND = 12, 1_500, 20
#: Columns up to which a MIP over all of them is worth its time.
RESTRICTED = 3_000


def polish(tree: Tree, watch: Watch, ends: tuple[Columns, ...] = ()) -> bool:
    """Offer the best plan over the columns of known ones and those of least reduced cost.

    Known are the best one so far and those at which moves ended. That is a MIP over the
    strengthened master that starts from the plan: it changes many programs at once, as moves hardly
    can. Whether it was better than the best so far.
    """
    master, book, side = tree.master, tree.lagrangian.book, tree.lagrangian.layout.side
    tree.apply(())
    assert watch.decision is not None
    plan = book.columns_of(watch.decision)
    known = join([plan, *ends])
    master.add(known)
    if not master.solve(0.2 * watch.left):
        return False
    columns = master.columns
    reduced = master.reduced_costs(columns, master.duals)
    few = min(max(POLISHED * book.layout.P, POLISHED_LEAST), len(columns))
    mine = set(known.keys())
    allowed = reduced <= np.partition(reduced, few - 1)[few - 1]
    allowed |= np.array([key in mine for key in columns.keys()])  # noqa: SIM118
    master.restrict(allowed, np.array(side.lower), np.array(side.upper))
    seconds = min(max(10.0, book.layout.P / PER_SECOND), 0.2 * watch.left)
    chosen = master.solve_whole(seconds, 300, plan)
    tree.apply(())
    if chosen is None:
        return False
    grown = expanded_lines(book.layout.expand, master.side_values)
    found = columns.take(chosen)
    return watch.offer(book.decision_of(found, grown | overfull(book, found)))


def restricted(book: Book, rows: Ints, pool: Columns, watch: Watch, tally: Tally) -> bool:
    """Offer the best plan over columns at hand: a small MIP that knows every rule.

    Whether that was better than the best so far. The work is added to `tally`.
    """
    P = book.layout.P
    if len(pool) > RESTRICTED:
        return False
    used, engaged = usage(book, pool.take(np.empty(0, np.int64)))
    part = Part(book, np.arange(P), rows, used, engaged)
    part.master.tally = tally
    part.master.add(part.inward(pool))
    part.master.phase(False)
    seconds = min(10.0, max(0.1 * watch.left, min(1.5, 0.5 * watch.left)))
    chosen = part.master.solve_whole(seconds, 300)
    if chosen is not None:
        plan = part.outward(part.master.columns.take(chosen))
        grown = expanded_lines(part.book.layout.expand, part.master.side_values)
        return watch.offer(book.decision_of(plan, grown))
    return False
