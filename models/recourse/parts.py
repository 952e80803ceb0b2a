"""A scene cut into parts that share no scarce days: each is re-planned on its own.

Values and bounds of the parts add up to those of the whole. Many outages leave the same part behind
(a CMO, its owner, its region), which then needs to be re-planned once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.problem import Bools, Ints
from models.recourse.scene import NOISE, Scene


@dataclass(frozen=True)
class Part:
    """Some programs of a scene with all offers and days they may use.

    `programs`, `offers` and `lines` are its rows in the whole scene.
    """

    scene: Scene
    programs: Ints
    offers: Ints
    lines: Ints

    @cached_property
    def key(self) -> str:
        """The same for the same part, of any scene of one plan."""
        scene, told = self.scene, hashlib.sha256()
        for values in (self.programs, self.offers, scene.most, scene.room, scene.supply):
            told.update(np.ascontiguousarray(values).tobytes())
        return f"{scene.start}-{told.hexdigest()[:32]}"


def parts(scene: Scene, short: Bools) -> list[Part]:
    """The parts that hold a program of `short` (P,), by their first program."""
    groups = grouped(scene)
    return [_part(scene, groups == group) for group in np.unique(groups[short]).tolist()]


def grouped(scene: Scene) -> Ints:
    """For each program (P,) the first of those it shares scarce days with, also through others.

    Days of a line and period are scarce where not all batches that could be of use fit at once.
    """
    row, t = np.nonzero(scene.most)
    line = scene.line[row]
    days = scene.days[row] * scene.most[row, t] + scene.changeover[line]
    load = np.zeros(scene.room.shape)
    np.add.at(load, (line, t), days)
    scarce = load[line, t] > scene.room[line, t] * (1 + NOISE)
    program = scene.program[row[scarce]]
    cell = line[scarce] * scene.periods + t[scarce]
    group = np.arange(len(scene.price), dtype=np.int64)
    while True:
        first = np.full(scene.room.size, len(group), np.int64)
        np.minimum.at(first, cell, group[program])
        joined = group.copy()
        np.minimum.at(joined, program, first[cell])
        if np.array_equal(joined, group):
            return group
        group = joined


def _part(scene: Scene, inside: Bools) -> Part:
    """The part of the programs in `inside` (P,)."""
    programs = np.flatnonzero(inside).astype(np.int64)
    offers = np.flatnonzero(inside[scene.program] & scene.most.any(1)).astype(np.int64)
    lines = np.unique(scene.line[offers])
    most = scene.most[offers]
    line = np.searchsorted(lines, scene.line[offers]).astype(np.int64)
    row, t = np.nonzero(most)
    used = np.zeros((len(lines), scene.periods), np.bool_)
    used[line[row], t] = True
    part = Scene(
        start=scene.start,
        wanted=scene.wanted[programs],
        cap=scene.cap[programs],
        price=scene.price[programs],
        supply=scene.supply[programs],
        planned_unmet=scene.planned_unmet[programs],
        program=np.searchsorted(programs, scene.program[offers]).astype(np.int64),
        line=line,
        good=scene.good[offers],
        days=scene.days[offers],
        lag=scene.lag[offers],
        changeover=scene.changeover[lines],
        room=np.where(used, scene.room[lines], 0.0),
        most=most,
    )
    return Part(part, programs, offers, lines)
