"""Hand-optimised numerics of the tracker, compiled to machine code by Numba.

Everything compiled is in this package, and nothing here imports from outside of it but the names
of array types: so the cache of machine code is keyed by the sources of this folder alone. Each
module names the library function that it replaces and what that gained.
"""
