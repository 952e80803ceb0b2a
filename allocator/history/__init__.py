"""Input tables from an order or delivery history, and a fair comparison with what was paid."""

from __future__ import annotations

from allocator.history.comparison import Comparison, compare_with_history, history_comparison
from allocator.history.job import ingest
from allocator.history.report import IngestReport

__all__ = ["Comparison", "IngestReport", "compare_with_history", "history_comparison", "ingest"]
