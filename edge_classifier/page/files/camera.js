// The visitor's camera, as the source of frames: one JPEG at a time.

import { text } from "./texts.js";

const WIDTH = 640;
const EVERY_MS = 1000 / 30;
const QUALITY = 0.85;

/** Make the camera; `say` is told what is wrong with it, and `changed` when it begins or ends. */
export function makeCamera(connection, say, changed) {
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  let facing = "environment";
  let stream = null;
  let wanted = false;
  let timer = 0;

  async function start() {
    if (!navigator.mediaDevices?.getUserMedia) {
      fail(text("cameraInsecure"));
      return;
    }
    try {
      const opened = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: { ideal: facing }, width: { ideal: WIDTH }, height: { ideal: 480 } },
      });
      if (!wanted) {
        opened.getTracks().forEach((track) => track.stop());
        return;
      }
      stream = opened;
    } catch (error) {
      fail(text(error.name === "NotAllowedError" ? "cameraDenied" : "cameraMissing"));
      return;
    }
    stream.getVideoTracks()[0].addEventListener("ended", () => stop("ended"));
    video.srcObject = stream;
    await video.play();
    say("");
    const mirrored = stream.getVideoTracks()[0].getSettings().facingMode !== "environment";
    connection.send({ type: "camera", on: true, mirrored });
    changed();
    send();
  }

  function fail(reason) {
    say(text("blind", { reason }));
    connection.send({ type: "camera", on: false, problem: text("blind", { reason }) });
  }

  function send() {
    if (!stream) return;
    const began = performance.now();
    const scale = Math.min(1, WIDTH / video.videoWidth);
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => {
      if (blob && stream) connection.sendPicture(blob);
      timer = setTimeout(send, Math.max(0, EVERY_MS - (performance.now() - began)));
    }, "image/jpeg", QUALITY);
  }

  function stop(why) {
    clearTimeout(timer);
    stream?.getTracks().forEach((track) => track.stop());
    if (stream) connection.send({ type: "camera", on: false });
    stream = null;
    if (why === "ended") fail(text("cameraMissing"));
    changed();
  }

  return {
    /** Begin or end, as it is wanted; may be called again and again. */
    want(now) {
      if (now === wanted) return;
      wanted = now;
      if (now) start();
      else stop();
    },
    get running() {
      return stream !== null;
    },
    /** Take the one on the device's other side. */
    async switch() {
      facing = facing === "environment" ? "user" : "environment";
      stop();
      await start();
    },
  };
}
