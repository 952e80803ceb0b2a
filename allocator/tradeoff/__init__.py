"""Plans side by side: what single, dual and secure sourcing cost, and what they buy.

`docs/compare.md` says what each figure means.
"""

from allocator.tradeoff.comparison import Comparison, compare

__all__ = ["Comparison", "compare"]
