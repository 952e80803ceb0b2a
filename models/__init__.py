"""The mathematics of the allocation: problem in arrays, three formulations, results.

Knows numpy and solvers; no files, no tables, no command line. Imports nothing of `allocator`.
"""
