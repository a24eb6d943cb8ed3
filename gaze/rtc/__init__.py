"""What aiortc does not do: congestion control, latest-frame receiving, ICE restart, codecs."""
