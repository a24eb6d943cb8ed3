"""Camera pictures and landmarks of people whose gaze, lids and pupils are known."""
