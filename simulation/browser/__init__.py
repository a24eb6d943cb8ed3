"""Chromium and Firefox driven by the tests and benchmarks."""
