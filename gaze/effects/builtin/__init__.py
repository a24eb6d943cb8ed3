"""The effects that come with the server, one a file; `gaze.effects.registry` finds them here."""
