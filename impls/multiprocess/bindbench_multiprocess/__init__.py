"""A pool of processes over one mapped file; one module a lane."""
