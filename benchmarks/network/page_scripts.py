"""JavaScript that the network benchmark runs in Chromium's pages."""

from benchmarks import strip

SHOW = """async () => {
  window.benchmarkFrames = [];
  const video = document.createElement('video');
  Object.assign(video, { muted: true, autoplay: true, playsInline: true });
  video.style.cssText = 'position:fixed;top:0;left:0;width:320px;z-index:99';
  document.body.append(video);
  const canvas = new OffscreenCanvas(CELLS, 1);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.imageSmoothingEnabled = false; // one pixel of each cell
  const look = (now, { width, height, rtpTimestamp }) => {
    context.drawImage(video, 0, height * 0.03, width, height * 0.025, 0, 0, CELLS, 1);
    const pixels = context.getImageData(0, 0, CELLS, 1).data;
    const bits = Array.from({ length: CELLS }, (_, i) => (pixels[4 * i] > 128 ? '1' : '0'));
    window.benchmarkFrames.push([bits.join(''), now / 1000, width, height, rtpTimestamp]);
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
  window.benchmarkVideo = video;
}""".replace("CELLS", str(strip.CELLS))


HOST = """async (media, effects) => {
  const { GazeClient } = await import('/client/gaze-client.js');
  const client = new GazeClient({ storage: null });
  await client.open({ media, effects, gaze: 'pointer' });
  window.benchmarkVideo.srcObject = client.stream;
}"""


HOST_STOCK = """async (media, effects) => {
  const connection = new RTCPeerConnection({ iceServers: [] });
  const film = connection.addTransceiver('video', { direction: 'recvonly' });
  if ('jitterBufferTarget' in film.receiver) film.receiver.jitterBufferTarget = 0;
  window.benchmarkVideo.srcObject = new MediaStream([film.receiver.track]);
  await connection.setLocalDescription();
  while (connection.iceGatheringState !== 'complete')
    await new Promise((done) => setTimeout(done, 20));
  const { sdp, type } = connection.localDescription;
  const body = JSON.stringify({ sdp, type, tracks: { film: film.mid }, media, effects });
  const response = await fetch('/api/sessions', { method: 'POST', body });
  const answer = await response.json();
  await connection.setRemoteDescription({ sdp: answer.sdp, type: 'answer' });
  window.benchmarkConnection = connection;
}"""


PLAY = """async () => {
  const video = document.createElement('video');
  Object.assign(video, { muted: true, playsInline: true });
  video.src = URL.createObjectURL(document.getElementById('benchmark-file').files[0]);
  video.style.cssText = 'position:fixed;top:200px;left:0;width:320px';
  document.body.append(video);
  await video.play();
  window.benchmarkFilm = video.captureStream().getVideoTracks()[0];
}"""


SEND = """async (effects) => {
  const { GazeClient } = await import('/client/gaze-client.js');
  const client = new GazeClient({ storage: null });
  await client.open({ film: window.benchmarkFilm, effects, gaze: 'pointer' });
  window.benchmarkVideo.srcObject = client.stream;
}"""


OFFER = """async () => {
  const connection = new RTCPeerConnection({ iceServers: [] });
  connection.addTransceiver(window.benchmarkFilm, { direction: 'sendonly' });
  await connection.setLocalDescription();
  while (connection.iceGatheringState !== 'complete')
    await new Promise((done) => setTimeout(done, 20));
  window.benchmarkConnection = connection;
  return connection.localDescription.sdp;
}"""


ANSWER = """async (sdp) => {
  const connection = new RTCPeerConnection({ iceServers: [] });
  connection.ontrack = ({ track, receiver }) => {
    if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0;
    window.benchmarkVideo.srcObject = new MediaStream([track]);
  };
  await connection.setRemoteDescription({ type: 'offer', sdp });
  await connection.setLocalDescription();
  while (connection.iceGatheringState !== 'complete')
    await new Promise((done) => setTimeout(done, 20));
  window.benchmarkConnection = connection;
  return connection.localDescription.sdp;
}"""


ACCEPT = "(sdp) => window.benchmarkConnection.setRemoteDescription({ type: 'answer', sdp })"
