"""When demand grows: what today's plan holds, where it breaks, what a slot is worth, what to sign.

`docs/capacity.md` says what each figure means.
"""

from allocator.growth.job import capacity

__all__ = ["capacity"]
