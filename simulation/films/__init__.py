"""Films, and single frames, whose content can be measured after any codec."""
