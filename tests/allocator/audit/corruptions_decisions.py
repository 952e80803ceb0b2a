"""What a plan decides, its stock and its line-days, spoilt."""

from __future__ import annotations

from tests.allocator.audit.spoil import (
    L2_Q2,
    P2_Q4,
    P4_Q2,
    Corruption,
    batch,
    both,
    cell,
    in_plan,
    in_table,
    line,
    more,
    program,
    put,
    source,
)

DECISIONS = [
    Corruption("a batch too many", "flow", batch("P2", "2027Q4", 1)),
    Corruption("a batch too few", "flow", batch("P3", "2027Q3", -1)),
    Corruption("a batch too many, its cost", "costs", batch("P2", "2027Q4", 1)),
    Corruption("a batch too many, its spend", "spend", batch("P2", "2027Q4", 1)),
    Corruption("batches beyond the line", "line_days", batch("P2", "2027Q4", 9)),
    Corruption("half a batch", "campaign", batch("P2", "2027Q4", 0.5)),
    Corruption("negative batches", "campaign", batch("P2", "2027Q4", -2)),
    Corruption(
        "batches in no period", "campaign", put(lambda p: source(p, "P2")["batches"], "2031Q1", 1)
    ),
    Corruption(
        "batches before ready", "ready", put(lambda p: source(p, "P1", 1)["batches"], "2027Q1", 1)
    ),
    Corruption(
        "ready too soon", "ready", put(lambda p: source(p, "P1", 1), "ready_period", "2027Q1")
    ),
    Corruption(
        "supply too soon",
        "ready",
        put(lambda p: source(p, "P1", 1), "first_supply_period", "2027Q2"),
    ),
    Corruption("a wrong share", "splits", put(lambda p: source(p, "P1"), "share", 0.7)),
    Corruption(
        "a share of half for a single source",
        "splits",
        put(lambda p: source(p, "P2"), "share", 0.5),
    ),
    Corruption(
        "shares the other way round",
        "splits",
        in_plan(lambda p: [s.update(share=1 - s["share"]) for s in program(p, "P1")["sources"]]),
    ),
    Corruption(
        "a split not offered",
        "splits",
        in_plan(
            lambda p: [
                s.update(share=x)
                for s, x in zip(program(p, "P1")["sources"], (0.55, 0.45), strict=True)
            ]
        ),
    ),
    Corruption(
        "the same source twice",
        "two_cmos",
        in_plan(
            lambda p: program(p, "P1").update(
                sources=[source(p, "P1"), source(p, "P1") | {"role": "secondary"}]
            )
        ),
    ),
    Corruption(
        "a source dropped",
        "sourcing",
        in_plan(lambda p: program(p, "P1").update(option="single", sources=[source(p, "P1")])),
    ),
    Corruption("another sourcing in effect", "sourcing", put(lambda p: p, "sourcing", "single")),
    Corruption(
        "an unknown offer", "eligible", put(lambda p: source(p, "P2"), "offer_id", "P2@L9@60")
    ),
    Corruption(
        "an offer for another program",
        "eligible",
        put(lambda p: source(p, "P2"), "offer_id", "P5@L1@50"),
    ),
    Corruption(
        "another CMO than the offer's", "eligible", put(lambda p: source(p, "P2"), "cmo_id", "K1")
    ),
    Corruption(
        "another line than the offer's", "eligible", put(lambda p: source(p, "P2"), "line_id", "L1")
    ),
    Corruption(
        "qualified, which it is not",
        "eligible",
        put(lambda p: source(p, "P1", 1), "qualified", True),
    ),
    Corruption("another batch size", "eligible", put(lambda p: source(p, "P2"), "batch_size", 61)),
    Corruption("a program missing", "one_option", in_plan(lambda p: p["programs"].pop(1))),
    Corruption(
        "a program twice", "one_option", in_plan(lambda p: p["programs"].append(p["programs"][1]))
    ),
    Corruption(
        "an unknown program", "one_option", put(lambda p: program(p, "P4"), "program_id", "P9")
    ),
    Corruption(
        "another option than the sources",
        "one_option",
        put(lambda p: program(p, "P1"), "option", "single"),
    ),
    Corruption(
        "an option there is not", "one_option", put(lambda p: program(p, "P1"), "option", "triple")
    ),
    Corruption(
        "roles swapped",
        "one_option",
        in_plan(
            lambda p: [
                s.update(role=r)
                for s, r in zip(program(p, "P1")["sources"], ("secondary", "primary"), strict=True)
            ]
        ),
    ),
    Corruption(
        "unsourced with batches",
        "one_option",
        in_plan(lambda p: program(p, "P4").update(sources=[source(p, "P2")])),
    ),
    Corruption(
        "sourced, called unsourced",
        "one_option",
        put(lambda p: program(p, "P2"), "option", "unsourced"),
    ),
    Corruption(
        "a source hidden",
        "files",
        in_plan(lambda p: program(p, "P2").update(option="unsourced", sources=[])),
    ),
]

STOCK = [
    *(
        Corruption(f"{column} in {name}", "flow", cell("batches", where, column, more))
        for column in ("released", "demand", "served", "unmet", "stock", "scrap")
        for name, where in (("a source", P2_Q4), ("an unsourced program", P4_Q2))
    ),
    Corruption(
        "stock invented to hide unmet demand",
        "flow",
        both(
            cell("batches", P4_Q2, "unmet", lambda x: 0.0),
            cell("batches", P4_Q2, "served", lambda x: 100.0),
        ),
    ),
    Corruption(
        "unmet and kept at once",
        "serve_first",
        both(cell("batches", P4_Q2, "stock", lambda x: 30.0)),
    ),
    Corruption("served more than is wanted", "serve_first", cell("batches", P4_Q2, "served", more)),
    Corruption(
        "kept beyond the shelf life",
        "shelf_life",
        both(
            cell("batches", {"program_id": "P2", "period": "2027Q1"}, "stock", lambda x: 240.0),
            cell("batches", {"program_id": "P2", "period": "2027Q1"}, "scrap", lambda x: 0.0),
        ),
    ),
    Corruption(
        "scrap hidden",
        "flow",
        cell("batches", {"program_id": "P2", "period": "2027Q1"}, "scrap", lambda x: 0.0),
    ),
    Corruption(
        "safety target",
        "safety_stock",
        cell("batches", {"program_id": "P3", "period": "2027Q2"}, "safety_target", lambda x: 0.0),
    ),
    Corruption(
        "safety gap hidden",
        "safety_stock",
        cell("batches", {"program_id": "P3", "period": "2027Q2"}, "safety_gap", lambda x: 0.0),
    ),
    Corruption("unmet units hidden", "flow", put(lambda p: program(p, "P4"), "unmet_units", 0)),
    Corruption("missing months hidden", "flow", put(lambda p: program(p, "P4"), "months_short", 0)),
]

LINES = [
    *(
        Corruption(f"{column} of a line", rule, cell("utilisation", L2_Q2, column, more))
        for column, rule in (
            ("offered_days", "line_days"),
            ("expansion_days", "expansion"),
            ("batch_days", "line_days"),
            ("changeover_days", "changeover"),
            ("validation_days", "validation"),
            ("used_days", "line_days"),
            ("free_days", "line_days"),
        )
    ),
    *(
        Corruption(
            f"{key} days in the plan",
            "line_days",
            put(lambda p: line(p, "L1")["days"]["2028Q1"], key, more),
        )
        for key in ("offered", "used", "free")
    ),
    Corruption(
        "changeover dropped",
        "changeover",
        cell("utilisation", {"line_id": "L2", "period": "2027Q4"}, "changeover_days", lambda x: 0),
    ),
    Corruption(
        "validation dropped",
        "validation",
        cell("utilisation", L2_Q2, "validation_days", lambda x: 0),
    ),
    Corruption(
        "expansion used and not bought",
        "line_days",
        put(lambda p: line(p, "L1"), "expanded", False),
    ),
    Corruption(
        "expansion bought and not paid", "costs", put(lambda p: p["cost_lines"], "expansions", 0.0)
    ),
    Corruption(
        "expansion bought and not booked",
        "costs",
        in_table("costs", lambda rows: rows.remove(next(r for r in rows if r[0] == "expansions"))),
    ),
    Corruption("an expansion denied", "costs", put(lambda p: line(p, "L1"), "expanded", False)),
]
