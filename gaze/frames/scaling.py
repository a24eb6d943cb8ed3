"""Scales frames down to the largest size that a stage takes."""

import av


def fit_within(frame: av.VideoFrame, largest_px: tuple[int, int]) -> av.VideoFrame:
    """Scale a frame down, in its proportions, if it is too large.

    Parameters
    ----------
    frame : av.VideoFrame
        Any frame.
    largest_px : tuple of int
        The two largest sides, in either order: a portrait picture may be as high as a landscape
        picture may be wide.

    Returns
    -------
    av.VideoFrame
        The frame itself if it fits; else a new frame of even width and height.
    """
    longest, shortest = max(largest_px), min(largest_px)
    scale = min(longest / max(frame.width, frame.height), shortest / min(frame.width, frame.height))
    if scale >= 1:
        return frame
    return frame.reformat(
        width=max(2, int(frame.width * scale) // 2 * 2),
        height=max(2, int(frame.height * scale) // 2 * 2),
    )
