"""What tests, benchmarks and tools share: simulated viewers, films, networks and clients.

Nothing here is part of the product, and nothing here imports `tests` or `benchmarks`.

- `viewers/`: camera pictures of people whose gaze, lids and pupils are known. `painted`: a
  portrait with repainted eyes, fast. `rendered`: a head and eyes in three dimensions, with ground
  truth in degrees and millimetres. `landmarks`: face landmarks alone, without a picture.
- `films/`: films whose content can be measured after any codec. `progress`: a still picture under
  a progress bar, and the measures of sharpness and zoom. `coded`: frame numbers and sample
  positions. `frames`: single frames and gaze states for effects. `rtsp_server`: a live source.
- `network/`: what lies between server and viewer. `emulator`: a seeded link between two network
  namespaces, in real time. `scripted`: a link and a sender in simulated time.
- `clients/`: WebRTC peers without a browser. `rtc_client`: an offer and an answer, nothing else.
  `rtc_viewer`: a whole session over HTTP. `viewer_process`: a peer in a process to be killed.
- `browser/`: Chromium and Firefox, and a person at the page.
- `server_process`: the server as its users start it, in a process of its own.
- `scripted_time`: a clock that a test moves.
"""
