"""HTTP and WebSocket: parsing, authorisation, errors."""
