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

#: Columns that take part in a polish, per program and at least.
POLISHED, POLISHED_LEAST = 12, 1_500
#: Nodes of a polish at most: further ones take most of the time and find little.
NODES = 100
#: Times that a MIP may look at its limits, which is a count of its work, per program and at least.
CHECKS, CHECKS_LEAST = 1.5, 60
#: Programs for each second that a MIP may take, seconds that it may take in any case, and the share
#: of the time left: for machines so slow, or portfolios so large, that its work does not end it.
PER_SECOND, LEAST, SHARE = 20, 15.0, 0.2
#: Columns up to which a MIP over all of them is worth its time.
RESTRICTED = 3_000


def checks(book: Book) -> int:
    """Times that a MIP over columns may look at its limits."""
    return max(CHECKS_LEAST, round(CHECKS * book.layout.P))


def polish(tree: Tree, watch: Watch, ends: tuple[Columns, ...] = ()) -> bool:
    """Offer the best plan over the columns of known ones and those of least reduced cost.

    Known are the best one so far and those at which moves ended. That is a MIP over the
    strengthened master that starts from the plan: it changes many programs at once, as moves hardly
    can. Whether it was better than the best so far.
    """
    master, book, side = tree.master, tree.lagrangian.book, tree.lagrangian.layout.side
    tree.apply(())
    assert watch.decision is not None
    assert watch.objective is not None
    plan = book.columns_of(watch.decision)
    known = join([plan, *ends])
    master.add(known)
    if not master.solve(0.2 * watch.left):
        return False
    columns = master.columns
    reduced = master.reduced_costs(columns, master.duals)
    few = min(max(POLISHED * book.layout.P, POLISHED_LEAST), len(columns))
    keys, mine, best = columns.keys(), set(known.keys()), set(plan.keys())
    allowed = reduced <= np.partition(reduced, few - 1)[few - 1]
    allowed |= np.array([key in mine for key in keys])
    allowed &= reduced <= watch.objective - master.objective  # others are part of no better plan
    allowed |= np.array([key in best for key in keys])
    master.restrict(allowed, np.array(side.lower), np.array(side.upper))
    seconds = min(max(LEAST, book.layout.P / PER_SECOND), SHARE * watch.left)
    chosen = master.solve_whole(seconds, NODES, checks(book), master.places(plan))
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
    seconds = min(LEAST, max(SHARE * watch.left, min(1.5, 0.5 * watch.left)))
    chosen = part.master.solve_whole(seconds, 3 * NODES, checks(book))
    if chosen is not None:
        plan = part.outward(part.master.columns.take(chosen))
        grown = expanded_lines(part.book.layout.expand, part.master.side_values)
        return watch.offer(book.decision_of(plan, grown))
    return False
