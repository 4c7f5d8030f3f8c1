"""The same lanes for byte pair encoding: modules of their own, so that no other workload's processes read a vocabulary."""
