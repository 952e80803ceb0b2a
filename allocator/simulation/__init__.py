"""Seeded futures of a finished plan: what slips, outages, failures and demand make of it."""

from allocator.simulation.futures import simulate
from allocator.simulation.report import SimulationReport

__all__ = ["SimulationReport", "simulate"]
