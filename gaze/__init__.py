"""A WebRTC media server that lets a viewer's eyes edit the film they watch."""

import os

__version__ = "0.2.0"

# Matrices here are small: OpenBLAS's worker threads would only spin, which doubled the CPU time of
# the tracker (benchmarks.tracker). Read when numpy is imported, in the tracking processes too.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
