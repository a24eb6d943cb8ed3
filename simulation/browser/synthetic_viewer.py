"""A camera drawn inside the page, whose eyes follow the page's calibration dot."""

import base64
from functools import cache

import cv2

from simulation.browser.page import Page
from simulation.viewers.painted import viewer_frame

ACROSS = (-9, -6, -3, 0, 3, 6, 9)
DOWN = (-6, -3, 0, 3, 6)

# Replaces the camera by the picture whose gaze is nearest to the calibration dot, or to the middle
# of the window if there is no dot.
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
  const nearest = (share, offsets) =>
    Math.min(offsets.length - 1, Math.max(0, Math.round(share * (offsets.length - 1))));
  const draw = () => {
    const dot = document.querySelector('[data-testid=target]')?.getBoundingClientRect();
    const x = dot ? (dot.x + dot.width / 2) / innerWidth : 0.5;
    const y = dot ? (dot.y + dot.height / 2) / innerHeight : 0.5;
    const column = nearest(1 - x, across); // the picture is not mirrored
    pen.drawImage(images[nearest(y, down) * across.length + column], 0, 0);
    pen.fillStyle = `rgb(${Math.floor(Math.random() * 256)} 0 0)`;
    pen.fillRect(0, 0, 2, 2); // so that no two frames are equal
  };
  draw();
  setInterval(draw, 40);
  const stream = canvas.captureStream(25);
  navigator.mediaDevices.getUserMedia = async () => stream.clone();
}"""


@cache
def _pictures() -> list[str]:
    """Return the viewer's pictures, row by row, as JPEGs in base64."""
    pictures = []
    for dy in DOWN:
        for dx in ACROSS:
            image = cv2.cvtColor(viewer_frame(iris=(dx, dy)), cv2.COLOR_RGB2BGR)
            _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])
            pictures.append(base64.b64encode(jpeg.tobytes()).decode())
    return pictures


async def look_where_the_page_says(page: Page) -> None:
    """Replace the page's camera by a viewer who fixates the calibration dot.

    Parameters
    ----------
    page : Page
        The page, before it asks for the camera.
    """
    await page.call(CAMERA, _pictures(), list(ACROSS), list(DOWN))
