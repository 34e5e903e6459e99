"""Measure the stack: each bench returns figures beside their goals."""
