"""The standard library: every loop is C, written by somebody else."""
