import gaze  # noqa: F401 - before numpy, which it tells how many threads to use
