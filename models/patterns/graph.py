"""Compiled: the schedules of a line's streams as paths of a graph, priced.

A node is a stream's stock before a period, an arc the batches started there. Under prices of
line-days and cuts each arc has a *lack*: what it costs more than the best path from its node on
(models/patterns/patterns.md, `lines`). `models.patterns.joint` searches what this gives.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,assignment,no-any-return"

from __future__ import annotations

import numpy as np

from models.patterns.dp import compiled, internal


@internal
def grown(old, size):
    """The same array with room for at least `size` entries."""
    if size <= len(old):
        return old
    new = np.empty(max(size, 2 * len(old)), old.dtype)
    new[: len(old)] = old
    return new


@compiled
def graph(  # noqa: PLR0912, PLR0915
    rows,
    slot,
    offer,
    profile,
    offer_program,
    good,
    lag,
    limit,
    least,
    batch_cost,
    setup_cost,
    curve_row,
    curve,
    demand,
    cap,
    target,
    opening,
    shortage,
    safety,
    holding,
    factor,
    days,
    changeover,
    proving,
    proving_days,
    day_price,
    place,
    paid,
    once,
    floor,
    top,
    width,
    most_arcs,
):
    """The graph of the streams `rows` of one line, sorted by `slot`, their program's number.

    As in `dp.price`; besides, by offer: `days` per batch, `proving` and `proving_days` of its
    validation, `place` its row in `paid` (T, n, N), the price of an item in the cuts of a period.
    `changeover` days, `day_price` (T,). `once` (len(rows),) is what a stream costs apart from its
    batches, `floor` by slot what its cheapest path costs, or 0; paths that cost `top` more are
    left out. Returns, by node, the `first` arc (nodes + 1,); by arc `child`, `lack`, days, price
    and batches; the stream of each node (-1 for none yet); by slot its root and the least cost of
    a path, or 0; whether that is all of it, as it ends once more than `most_arcs` were looked at.
    """
    T = demand.shape[1]
    slots = len(floor)
    inf = np.inf
    # nodes of the graph: per slot the waiting ones (nothing made yet), then those of its streams
    first = np.zeros(1024, np.int64)
    stream = np.empty(1024, np.int64)
    nodes = 0
    child = np.empty(4096, np.int64)
    lack = np.empty(4096)
    took = np.empty(4096)
    price = np.empty(4096)
    made = np.empty(4096, np.int64)
    arcs = seen = 0
    root = np.empty(slots, np.int64)
    value = np.empty(slots)
    # of one stream
    A = 2 * T + 2
    base = np.empty(A)
    number = np.empty((A, width), np.int64)
    step_of = np.zeros((A, width), np.int64)
    stamp = 0
    n_class = np.empty(1024, np.int64)
    n_index = np.empty(1024, np.int64)
    n_first = np.empty(1024, np.int64)
    n_reach = np.empty(1024)
    n_left = np.empty(1024)
    n_name = np.empty(1024, np.int64)
    a_child = np.empty(4096, np.int64)
    a_made = np.empty(4096, np.int64)
    a_cost = np.empty(4096)
    layer = np.empty(T + 2, np.int64)
    # commitments of one slot: period, child, cost through, days, price, batches
    c_t = np.empty(1024, np.int64)
    c_child = np.empty(1024, np.int64)
    c_cost = np.empty(1024)
    c_days = np.empty(1024)
    c_price = np.empty(1024)
    c_made = np.empty(1024, np.int64)
    # least that a unit of demand costs from each period on, and the demand from there on
    unit = np.empty(T + 1)
    ahead = np.empty(T + 1)
    keep_cost = np.zeros(T + 1)
    for r in range(T - 1, -1, -1):
        keep_cost[r] = keep_cost[r + 1] + factor[r]
    i = 0
    for own in range(slots):
        most_cost = floor[own] + top
        commits = 0
        idle = 0.0  # making nothing at all
        while i < len(rows) and slot[i] == own and seen <= most_arcs:
            f = offer[rows[i]]
            d = demand[profile[rows[i]]]
            tops = cap[profile[rows[i]]]
            aims = target[profile[rows[i]]]
            p = offer_program[f]
            q = good[f]
            tiny = 1e-10 * q
            w = shortage[p]
            sp = safety[p]
            hp = holding[p]
            mine = paid[:, place[f]]
            shift = lag[f]
            # validation after the last batch that counts is not looked at: its price is let off
            proves = proving_days[f] > 0.0
            start_cost = once[i]
            if proves and proving[f] + shift >= T:
                start_cost -= proving_days[f] * day_price[proving[f]] + mine[proving[f], 0]
                proves = False
            unit[T] = w
            ahead[T] = 0.0
            for r in range(T - 1, -1, -1):
                ahead[r] = ahead[r + 1] + d[r]
                unit[r] = unit[r + 1]
                t = r - shift
                for n in range(1, (limit[f, t] if t >= 0 else 0) + 1):
                    if curve_row[f, t] >= 0:
                        unit[r] = min(unit[r], curve[curve_row[f, t], n] / (n * q))
                    elif n == limit[f, t]:  # more batches share the campaign
                        spent = setup_cost[f, t] + batch_cost[f, t] * n
                        unit[r] = min(unit[r], spent / (n * q))
                unit[r] = max(0.0, unit[r])
            # forward: all states that can be reached
            classes = 1
            base[0] = opening[profile[rows[i]]]
            count = 1
            n_class[0] = n_index[0] = 0
            n_reach[0] = start_cost
            layer[0] = 0
            made_arcs = 0
            for r in range(T):
                stamp += 1
                begin, end = layer[r], count
                layer[r + 1] = count
                t = r - shift
                most = limit[f, t] if t >= 0 else 0
                must = least[f, t] if t >= 0 else 0
                hold = hp * factor[r]
                waste = hp * keep_cost[r]
                for a in range(classes):
                    base[a] -= d[r]
                zero_class = top_class = -1
                for node in range(begin, end):
                    n_first[node] = made_arcs
                    for n in range(must, most + 1):
                        a = n_class[node]
                        j = n_index[node] + n
                        stock = base[a] + q * j
                        spent = 0.0
                        if t >= 0 and n > 0:
                            if curve_row[f, t] >= 0:
                                spent = curve[curve_row[f, t], n]
                            else:
                                spent = setup_cost[f, t] + batch_cost[f, t] * n
                        elif t >= 0 and curve_row[f, t] >= 0:
                            spent = curve[curve_row[f, t], 0]
                        if stock > tops[r] + 1e-10 * q:
                            spent += waste * (stock - tops[r])
                            stock = tops[r]
                            if stock > tiny:
                                if top_class < 0:
                                    top_class = classes
                                    base[classes] = stock
                                    classes += 1
                                a, j = top_class, 0
                        if stock <= tiny:
                            spent += w * max(0.0, -stock) + sp * aims[r]
                            if zero_class < 0:
                                zero_class = classes
                                base[classes] = 0.0
                                classes += 1
                            a, j = zero_class, 0
                        else:
                            spent += hold * stock + sp * max(0.0, aims[r] - stock)
                        reach = n_reach[node] + spent
                        ends = reach + unit[r + 1] * max(0.0, ahead[r + 1] - max(0.0, stock))
                        if ends > most_cost or j >= width:
                            continue
                        if step_of[a, j] != stamp:
                            step_of[a, j] = stamp
                            number[a, j] = count
                            n_class = grown(n_class, count + 2)
                            n_index = grown(n_index, count + 2)
                            n_first = grown(n_first, count + 2)
                            n_reach = grown(n_reach, count + 2)
                            n_class[count] = a
                            n_index[count] = j
                            n_reach[count] = reach
                            count += 1
                        to = number[a, j]
                        n_reach[to] = min(n_reach[to], reach)
                        a_child = grown(a_child, made_arcs + 1)
                        a_made = grown(a_made, made_arcs + 1)
                        a_cost = grown(a_cost, made_arcs + 1)
                        a_child[made_arcs] = to
                        a_made[made_arcs] = n
                        a_cost[made_arcs] = spent
                        made_arcs += 1
                if seen + made_arcs > most_arcs:
                    break
            layer[T + 1] = count
            n_first[layer[T] : count] = made_arcs
            seen += made_arcs
            if seen > most_arcs:
                break
            if layer[T] == count:  # no path at all
                i += 1
                continue
            n_left = grown(n_left, count + 1)
            n_name = grown(n_name, count + 1)
            n_name[:count] = -1
            n_left[layer[T] : count] = 0.0
            for node in range(layer[T] - 1, -1, -1):
                best = inf
                last = n_first[node + 1] if node + 1 < count else made_arcs
                for arc in range(n_first[node], last):
                    best = min(best, a_cost[arc] + n_left[a_child[arc]])
                n_left[node] = best
            # what can lie on a path worth keeping gets a node; the last ones are one node together
            first = grown(first, nodes + count + 2)
            stream = grown(stream, nodes + count + 2)
            finish = nodes
            nodes += 1
            stream[finish] = i
            first[finish] = arcs
            child, lack = grown(child, arcs + 1), grown(lack, arcs + 1)
            took, price = grown(took, arcs + 1), grown(price, arcs + 1)
            made = grown(made, arcs + 1)
            child[arcs] = finish
            lack[arcs] = took[arcs] = price[arcs] = 0.0
            made[arcs] = 0
            arcs += 1
            n_name[layer[T] : count] = finish
            for node in range(layer[T] - 1, layer[shift] - 1, -1):
                if n_reach[node] + n_left[node] > most_cost:
                    continue
                r = np.searchsorted(layer[: T + 1], node, side="right") - 1
                t = r - shift
                name = nodes
                nodes += 1
                n_name[node] = name
                stream[name] = i
                first[name] = arcs
                for arc in range(n_first[node], n_first[node + 1]):
                    to, n = a_child[arc], a_made[arc]
                    if n_reach[node] + a_cost[arc] + n_left[to] > most_cost or n_name[to] < 0:
                        continue
                    used = days[f] * n + (changeover if n > 0 else 0.0)
                    if proves and t == proving[f]:
                        used += proving_days[f]
                    child, lack = grown(child, arcs + 1), grown(lack, arcs + 1)
                    took, price = grown(took, arcs + 1), grown(price, arcs + 1)
                    made = grown(made, arcs + 1)
                    child[arcs] = n_name[to]
                    lack[arcs] = max(0.0, a_cost[arc] + n_left[to] - n_left[node])
                    took[arcs] = used
                    made[arcs] = n
                    price[arcs] = used * day_price[t] + (mine[t, n] if used > 0.0 else 0.0)
                    arcs += 1
            # from waiting to this stream: the first period in which it takes days
            node = 0
            sunk = start_cost
            for r in range(T):
                t = r - shift
                on = -1
                for arc in range(n_first[node], n_first[node + 1]):
                    to, n = a_child[arc], a_made[arc]
                    item = t >= 0 and (n > 0 or (proves and t == proving[f]))
                    if not item:
                        on = arc
                        continue
                    through = sunk + a_cost[arc] + n_left[to]
                    if through > most_cost or n_name[to] < 0:
                        continue
                    c_t, c_child = grown(c_t, commits + 1), grown(c_child, commits + 1)
                    c_cost, c_days = grown(c_cost, commits + 1), grown(c_days, commits + 1)
                    c_price, c_made = grown(c_price, commits + 1), grown(c_made, commits + 1)
                    used = days[f] * n + (changeover if n > 0 else 0.0)
                    if proves and t == proving[f]:
                        used += proving_days[f]
                    c_t[commits] = t
                    c_child[commits] = n_name[to]
                    c_cost[commits] = through
                    c_days[commits] = used
                    c_made[commits] = n
                    c_price[commits] = used * day_price[t] + mine[t, n]
                    commits += 1
                if on < 0:
                    node = -1
                    break
                sunk += a_cost[on]
                node = a_child[on]
            if node >= 0:
                idle = min(idle, sunk)
            i += 1
        # the waiting nodes of the slot, from the last period to the first
        first = grown(first, nodes + T + 3)
        stream = grown(stream, nodes + T + 3)
        order = np.argsort(c_t[:commits], kind="mergesort")
        wait = nodes
        nodes += 1
        stream[wait] = -1
        first[wait] = arcs
        child, lack = grown(child, arcs + 1), grown(lack, arcs + 1)
        took, price = grown(took, arcs + 1), grown(price, arcs + 1)
        made = grown(made, arcs + 1)
        child[arcs] = wait
        lack[arcs] = took[arcs] = price[arcs] = 0.0
        made[arcs] = 0
        arcs += 1
        left = idle
        at = commits - 1
        for t in range(T - 1, -1, -1):
            begin = at
            best = left
            while begin >= 0 and c_t[order[begin]] == t:
                best = min(best, c_cost[order[begin]])
                begin -= 1
            name = nodes
            nodes += 1
            stream[name] = -1
            first[name] = arcs
            size = arcs + 1 + at - begin
            child, lack = grown(child, size), grown(lack, size)
            took, price, made = grown(took, size), grown(price, size), grown(made, size)
            child[arcs] = wait
            lack[arcs] = left - best
            took[arcs] = price[arcs] = 0.0
            made[arcs] = 0
            arcs += 1
            for k in range(begin + 1, at + 1):
                c = order[k]
                child[arcs] = c_child[c]
                lack[arcs] = max(0.0, c_cost[c] - best)
                took[arcs] = c_days[c]
                price[arcs] = c_price[c]
                made[arcs] = c_made[c]
                arcs += 1
            at = begin
            wait = name
            left = best
        root[own] = wait
        value[own] = left
    first[nodes] = arcs
    # arcs of a node in the order of what they lack
    for node in range(nodes):
        a, b = first[node], first[node + 1]
        for k in range(a + 1, b):
            x, y, z, u, v = lack[k], child[k], took[k], price[k], made[k]
            h = k
            while h > a and lack[h - 1] > x:
                lack[h], child[h], took[h] = lack[h - 1], child[h - 1], took[h - 1]
                price[h], made[h] = price[h - 1], made[h - 1]
                h -= 1
            lack[h], child[h], took[h], price[h], made[h] = x, y, z, u, v
    return (
        first[: nodes + 1],
        child[:arcs],
        lack[:arcs],
        took[:arcs],
        price[:arcs],
        made[:arcs],
        stream[:nodes],
        root,
        value,
        seen <= most_arcs,
    )
