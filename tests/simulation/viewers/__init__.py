"""Tests of `simulation.viewers`."""
