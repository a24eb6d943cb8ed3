"""RTP packets, coming and going."""
