"""Emulated network paths between a server and a viewer."""
