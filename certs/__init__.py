"""The certificate with which a developer's machine serves HTTPS."""
