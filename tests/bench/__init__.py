"""Benchmarks: each module prints its own table, side by side in one run; make bench runs them all."""
