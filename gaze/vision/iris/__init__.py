"""Locate irises, and measure pupils."""
