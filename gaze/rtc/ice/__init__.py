"""Addresses and sockets of ICE."""
