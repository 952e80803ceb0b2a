"""The CP-SAT formulation: whole numbers throughout, with declared scaling (models/cpsat.md)."""

from models.cpsat.solving import solve

__all__ = ["solve"]
