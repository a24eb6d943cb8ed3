"""Scales frames down to the largest size that a stage takes."""

import av


def fit_within(frame: av.VideoFrame, largest_px: tuple[int, int]) -> av.VideoFrame:
    """The frame itself, or scaled down to even sizes within `largest_px` (either orientation)."""
    longest, shortest = max(largest_px), min(largest_px)
    scale = min(longest / max(frame.width, frame.height), shortest / min(frame.width, frame.height))
    if scale >= 1:
        return frame
    return frame.reformat(
        width=max(2, int(frame.width * scale) // 2 * 2),
        height=max(2, int(frame.height * scale) // 2 * 2),
    )
