"""Encoding and decoding of VP8 and H.264."""
