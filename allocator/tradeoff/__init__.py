"""Plans side by side: what single, dual and secure sourcing cost, and what they buy.

`docs/compare.md` says what each figure means.
"""

from allocator.tradeoff.comparison import Comparison, compare
from allocator.tradeoff.frontier_job import Frontier, frontier
from allocator.tradeoff.second_sources import Second, second

__all__ = ["Comparison", "Frontier", "Second", "compare", "frontier", "second"]
