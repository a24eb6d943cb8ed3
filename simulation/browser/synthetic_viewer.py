"""A viewer for the page whose eyes follow what the page shows: a camera drawn in the browser."""

import base64
from functools import cache

import cv2

from simulation.browser.page import Page
from simulation.viewers import viewer_frame

ACROSS = (-9, -6, -3, 0, 3, 6, 9)
DOWN = (-6, -3, 0, 3, 6)

# Plays, instead of a camera, the picture whose irises look nearest to the dot of the calibration,
# or to the middle where there is none.
CAMERA = """async (pictures, across, down) => {
  const images = await Promise.all(pictures.map(async (jpeg) => {
    const image = new Image();
    image.src = `data:image/jpeg;base64,${jpeg}`;
    await image.decode();
    return image;
  }));
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [640, 480];
  const pen = canvas.getContext('2d');
  const nearest = (share, places) =>
    Math.min(places.length - 1, Math.max(0, Math.round(share * (places.length - 1))));
  const draw = () => {
    const dot = document.querySelector('[data-testid=target]')?.getBoundingClientRect();
    const x = dot ? (dot.x + dot.width / 2) / innerWidth : 0.5;
    const y = dot ? (dot.y + dot.height / 2) / innerHeight : 0.5;
    const column = nearest(1 - x, across); // the picture is not mirrored
    pen.drawImage(images[nearest(y, down) * across.length + column], 0, 0);
    pen.fillStyle = `rgb(${Math.floor(Math.random() * 256)} 0 0)`;
    pen.fillRect(0, 0, 2, 2); // every picture is a new one
  };
  draw();
  setInterval(draw, 40);
  const stream = canvas.captureStream(25);
  navigator.mediaDevices.getUserMedia = async () => stream.clone();
}"""


@cache
def _pictures() -> list[str]:
    """The viewer's looks, row by row, as JPEGs in base64."""
    pictures = []
    for dy in DOWN:
        for dx in ACROSS:
            image = cv2.cvtColor(viewer_frame(iris=(dx, dy)), cv2.COLOR_RGB2BGR)
            _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])
            pictures.append(base64.b64encode(jpeg.tobytes()).decode())
    return pictures


async def look_where_the_page_says(page: Page) -> None:
    """From now on the page's camera shows a viewer whose eyes rest on the calibration's dot."""
    await page.call(CAMERA, _pictures(), list(ACROSS), list(DOWN))
