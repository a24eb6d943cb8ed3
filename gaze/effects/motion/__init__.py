"""How gaze and picture move over time: filters, dwell detection, easing and panning."""
