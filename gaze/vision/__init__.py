"""Turn camera frames into gaze samples: pure functions and filters on numpy arrays."""
