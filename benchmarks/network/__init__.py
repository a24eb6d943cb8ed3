"""The film over impaired networks: freezes, delay, bitrate, size, and how soon it adapts.

`python -m benchmarks.network` (needs root). Server and viewer run in two network namespaces joined
by a seeded link emulator (`simulation/network/emulator.py`) with the same conditions in both
directions; signalling bypasses the link (`relay`). Peers: stock aiortc, or Chromium itself. Who
watches:

- `python`: an aiortc client (`benchmarks/viewer.py`) watches a hosted film and gives feedback as
  browsers do: transport-wide if the server numbers its packets, otherwise REMB. It plays nothing:
  a frame has arrived when its last packet has. Columns: ours and stock.
- `chromium`: the same film in Chromium. Columns: ours and stock.
- `sent`: Chromium sends its own film. `ours`: that film, blurred and returned by the server, which
  has crossed the link twice; `chromium`: Chromium to Chromium, which has crossed it once.

Delay, in ms: how late a frame is against the earliest one of the run by its RTP timestamp, plus the
link's least delay. So it holds queues, retransmissions and jitter buffers, not the constant part of
decoding and encoding. (A film that was sent has the server's timestamps; there the frame numbers,
at 30 a second, are used.) Freezes: gaps of more than 500 ms between two frames with different
numbers. `reconnections`: streams that restarted because the page took its connection for lost.
The first 5 s of each watching are not judged.

Goals for hosted films: at 5 % loss no freeze; after the step down a delay below 300 ms within 5 s
and from then on; after the step up the full size within 15 s; at 1 Mbit/s at least 20 fps.

Modules: `scenarios` (conditions and goals), `judge` (figures from received frames), `serving` (the
servers), `watching` (the viewers), `page_scripts` (what runs in pages), `viewer_process`, `relay`.
"""
