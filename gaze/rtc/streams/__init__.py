"""The RTP streams of a connection: receivers, senders, and what decodes and routes between them."""
