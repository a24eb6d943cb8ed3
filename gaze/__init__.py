"""A WebRTC media server that lets a viewer's eyes edit the film they watch."""

__version__ = "0.1.0"
