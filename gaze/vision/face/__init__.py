"""Find a face in a frame, and measure its eyes by landmarks."""
