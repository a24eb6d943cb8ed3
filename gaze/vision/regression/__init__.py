"""Regress the point of gaze on the eyes' features, and calibrate that regression."""
