"""What the product does, measured, beside a peer or a floor of the same work.

Each command says with `--help` what it measures, in which unit, beside what. Results are in
`docs/`.

- Delay and cost of a session: `latency` (round trip of the film, overload), `capacity` (CPU by
  part, sessions on a core), `packet_cost` (CPU for one packet), `main_job` (from an eye movement to
  the film's answer).
- Network: `network` (impaired networks), `uplink` (what browsers send).
- Vision: `gaze` (accuracy on photos), `rendered` (errors against ground truth), `events` (fixations
  and saccades), `blinks`, `pupil` (light reflex and cleaning), `pupil_confidence` (a fit),
  `tracker` (CPU by stage).
- Effects: `effects` (CPU), `bitrate` (size of the encoded film), `demo_clips` (clips to look at).
- Page: `page` (main thread and memory in Chromium).

- Shared parts: `report` (flags, tables, JSON), `material` (encoded film and camera), `strip` (frame
  numbers in pictures), `viewer` (aiortc client that times frames), `stock` (the peer's server),
  `packets` (servers that only move packets).
"""

import gaze as _gaze  # noqa: F401 - before numpy, whose number of threads it sets
