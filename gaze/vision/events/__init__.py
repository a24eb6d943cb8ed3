"""Detect events in the signals of the eyes: blinks, fixations, saccades, pursuit, attention."""
