// The part of the picture that is looked at: outlined in it, and dragged over to choose another.

const EVERY_MS = 50;
const DIM = "#0009";

/** Dim what is not looked at of the picture that is drawn, and outline what is. */
export function drawRegion(canvas, [left, top, right, bottom]) {
  const { width, height } = canvas;
  const [x, y, w, h] = [left * width, top * height, (right - left) * width, (bottom - top) * height];
  const context = canvas.getContext("2d");
  const side = Math.min(w, h);
  context.fillStyle = DIM;
  context.beginPath();
  context.rect(0, 0, width, height);
  context.rect(x + (w - side) / 2, y + (h - side) / 2, side, side);
  context.fill("evenodd");
  context.strokeStyle = "#fff";
  context.lineWidth = Math.max(2, width / 320);
  context.strokeRect(x, y, w, h);
}

/** Hear where a region is dragged, by mouse or finger, for as long as `choosing` says so. */
export function hearDrags(canvas, connection, choosing) {
  let from = null;
  let to = null;
  let waiting = 0;

  function at({ clientX, clientY }) {
    const box = canvas.getBoundingClientRect();
    const scale = Math.min(box.width / canvas.width, box.height / canvas.height);
    const part = (offset, whole, pixels) => 0.5 + (offset - whole / 2) / (pixels * scale);
    const x = part(clientX - box.left, box.width, canvas.width);
    const y = part(clientY - box.top, box.height, canvas.height);
    const within = (value) => Math.min(1, Math.max(0, value));
    return [within(canvas.classList.contains("mirrored") ? 1 - x : x), within(y)];
  }

  function send() {
    waiting = 0;
    if (from && to && choosing()) connection.send({ type: "drag", from, to });
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !choosing()) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    from = at(event);
    to = null;
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!from) return;
    to = at(event);
    waiting ||= setTimeout(send, EVERY_MS);
  });
  for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) {
    canvas.addEventListener(kind, () => {
      clearTimeout(waiting);
      send();
      from = to = null;
    });
  }
}
