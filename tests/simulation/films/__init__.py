"""Tests of `simulation.films`."""
