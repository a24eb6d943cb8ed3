"""Effects: a film frame and the viewer's gaze in, a film frame out.

`effect`, `parameters`, `state` and `view` are what an effect is written with; `chain` runs the
effects of one viewer; `registry`, `plugins` and `presets` say which there are. The effects
themselves are in `builtin`, one a file; `drawing` and `motion` hold what several of them share.
"""
