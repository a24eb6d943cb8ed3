"""WebRTC peers without a browser, built on stock aiortc."""
