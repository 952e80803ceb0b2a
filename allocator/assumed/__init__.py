"""How far a plan hangs on what was assumed: which award flips if a figure is off by its range."""

from allocator.assumed.ranking import sensitivity
from allocator.assumed.report import SensitivityReport

__all__ = ["SensitivityReport", "sensitivity"]
