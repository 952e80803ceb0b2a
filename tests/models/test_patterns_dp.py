"""The pricing kernel against every vector of batches."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.patterns import dp, graph, joint, moves, placing, ruin, together
from models.patterns.dp import price
from models.patterns.ruin import improve
from models.problem import StreamTables, window
from models.stock import simulate

MONEY = st.floats(0, 12, allow_nan=False).map(lambda x: round(x, 2))


@st.composite
def streams(draw):
    """One stream with its costs: everything that `price` reads."""
    T = draw(st.integers(1, 4))

    def row(values, size=T):
        return np.array([draw(st.lists(values, min_size=size, max_size=size))])

    demand = row(st.sampled_from([0.0, 2.5, 4.0, 7.3]))
    after = np.array([draw(st.sampled_from([0.0, 5.0]))])
    cap = window(demand, after, np.array([draw(st.sampled_from([0.0, 0.5, 1.0, 2.5, 8.0]))]))
    target = np.minimum(window(demand, after, np.array([draw(st.sampled_from([0.0, 1.0]))])), cap)
    lag = draw(st.integers(0, 1))
    limit = row(st.integers(0, 3))
    limit[0, max(0, T - lag) :] = 0
    least = np.minimum(row(st.sampled_from([0, 0, 0, 1, 2])), limit)
    return {
        "good": draw(st.sampled_from([1.0, 2.0, 3.3, 7.0, 20.0])),
        "lag": lag,
        "limit": limit,
        "least": least,
        "batch": row(st.floats(-2, 15).map(lambda x: round(x, 2))),
        "setup": row(MONEY),
        "row": row(st.sampled_from([-1, -1, 0, 1])),
        "curve": np.array([[0.0, *draw(st.lists(MONEY, min_size=3, max_size=3))] for _ in "ab"]),
        "demand": demand,
        "cap": cap,
        "target": target,
        "opening": np.array([draw(st.sampled_from([0.0, 0.0, 6.1, 40.0]))]),
        "shortage": draw(MONEY),
        "safety": draw(st.sampled_from([0.0, 0.3])),
        "holding": draw(st.sampled_from([0.0, 0.1, 1.0])),
        "factor": row(st.sampled_from([1.0, 1.0, 1.7]))[0],
    }


def priced(case):
    value, batches = np.empty(1), np.zeros(case["demand"].shape, np.int16)
    zero = np.zeros(1, np.int64)
    price(
        zero, zero, zero, zero, np.array([case["good"]]), np.array([case["lag"]]), case["limit"],
        case["least"], case["batch"], case["setup"], case["row"], case["curve"],
        case["demand"], case["cap"], case["target"], case["opening"], np.array([case["shortage"]]),
        np.array([case["safety"]]), np.array([case["holding"]]), case["factor"],
        120, True, value, batches,
    )  # fmt: skip
    return value[0], batches[0]


def costs_of_all(case):
    """Every allowed vector of batches (N, T) and its cost (N,), by the rule of `simulate`."""
    ranges = [
        range(low, high + 1) for low, high in zip(case["least"][0], case["limit"][0], strict=True)
    ]
    made = np.array(list(itertools.product(*ranges)))
    count, T = made.shape
    released = np.zeros((count, T))
    released[:, case["lag"] :] = made[:, : T - case["lag"]] * case["good"]
    tables = StreamTables(
        *(np.repeat(case[name], count, 0) for name in ("demand", "cap", "target", "opening"))
    )
    flow = simulate(tables, released)
    kept = flow.stock + np.cumsum(flow.scrap, axis=1)
    plain = made * case["batch"] + (made > 0) * case["setup"]
    row = case["row"][0]
    cost = np.where(row < 0, plain, case["curve"][row, made]).sum(1)
    cost = cost + case["holding"] * (kept * case["factor"]).sum(1)
    cost = cost + case["shortage"] * flow.unmet.sum(1) + case["safety"] * flow.safety_gap.sum(1)
    return made, cost


@settings(deadline=None, derandomize=True, max_examples=400)
@given(streams())
def test_price_equals_trying_every_vector_of_batches(case):
    made, cost = costs_of_all(case)
    value, batches = priced(case)
    assert abs(value - cost.min()) <= 1e-7 * max(1.0, abs(cost.min()))
    own = cost[(made == batches).all(1)]
    assert len(own) == 1
    assert abs(own[0] - value) <= 1e-7 * max(1.0, abs(value))


def test_a_stream_without_any_schedule_has_no_value():
    one = np.ones((1, 2))
    value, batches = priced(
        {
            "good": 1.0, "lag": 0, "limit": np.zeros((1, 2), np.int64),
            "least": np.ones((1, 2), np.int64), "batch": one, "setup": one, "demand": one,
            "cap": one, "target": one, "opening": np.zeros(1), "shortage": 1.0, "safety": 0.0,
            "holding": 0.0, "factor": np.ones(2), "row": np.full((1, 2), -1), "curve": one,
        }
    )  # fmt: skip
    assert value == np.inf
    assert not batches.any()


def test_compiled_code_is_kept_only_while_none_of_its_files_has_changed(tmp_path, monkeypatch):
    # numba alone would look at the caller's file and keep what it has of the others
    here = Path(dp.__file__).parent
    for kernel in (price, improve):
        assert kernel._cache._cache_file._source_stamp == dp.stamp(here)
    modules = (dp, graph, joint, moves, placing, ruin, together)
    named = {module.__name__.rsplit(".", 1)[1] + ".py" for module in modules}
    assert named == set(dp.COMPILED)
    for name in dp.COMPILED:
        (tmp_path / name).write_bytes((here / name).read_bytes())
    other = tmp_path / "other"
    other.mkdir()
    (other / "kernel.py").write_bytes(b"one")
    monkeypatch.setattr(dp, "__file__", str(tmp_path / "dp.py"))
    before, beside = dp.stamp(tmp_path), dp.stamp(other)
    assert before == dp.stamp(here.parent / "patterns")
    (other / "kernel.py").write_bytes(b"two")
    dp.stamp.cache_clear()
    assert dp.stamp(other) != beside
    assert dp.stamp(tmp_path) == before
    (tmp_path / "moves.py").write_bytes(b"# changed")
    dp.stamp.cache_clear()
    assert dp.stamp(tmp_path) != before
    dp.stamp.cache_clear()
