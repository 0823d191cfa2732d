"""Kernels and their adjoints: arrays in, arrays out, compiled by numba. Knows numpy and numba only."""
