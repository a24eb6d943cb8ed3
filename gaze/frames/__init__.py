"""What carries pictures between packages: frames, planes, metadata, clocks, the newest value."""
