"""Vision in worker processes: protocol, worker, pool."""
