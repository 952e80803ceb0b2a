"""Seeded futures of a finished plan: what slips, outages, failures and demand make of it.

Nothing is imported here: reading a policy needs `settings` alone, and the audit, which reads one,
must not load the mathematics. `allocator.simulate` is in `futures`, its report in `report`.
"""
