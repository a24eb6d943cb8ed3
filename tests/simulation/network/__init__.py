"""Tests of `simulation.network`."""
