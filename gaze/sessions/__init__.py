"""One viewer's session: peer connection, tracker, film and effects put together."""
