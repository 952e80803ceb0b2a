"""Benchmarks: run as modules, not shipped."""
