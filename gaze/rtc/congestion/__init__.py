"""Bandwidth estimation, pacing, and feedback on both."""
