"""Estimate and stabilize the head's pose."""
