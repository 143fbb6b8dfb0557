// The websocket: comes back by itself, and remembers who we are for as long as the tab is open.

const version = document.documentElement.dataset.version;
const RETRY_MS = 1000;
const REPLACED = 4000;

function visitorId() {
  let id = sessionStorage.getItem("visitor");
  if (!id) {
    id = [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
    sessionStorage.setItem("visitor", id);
  }
  return id;
}

export const visitor = visitorId();

/** Connect. `on` has what is called: words(message), picture(blob), lost(), ended(why). */
export function connect(on) {
  let socket = null;
  let over = false;

  function open() {
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/session`);
    socket.binaryType = "blob";
    socket.onopen = () => send({ type: "hello", visitor, version });
    socket.onmessage = ({ data }) => {
      if (data instanceof Blob) {
        on.picture(data);
        return;
      }
      const message = JSON.parse(data);
      if (message.type === "view") {
        on.words(message);
      } else {
        over = true;
        on.ended(message.type);
      }
    };
    socket.onclose = ({ code }) => {
      if (code === REPLACED) {
        over = true;
        on.ended("twice");
      }
      if (!over) {
        on.lost();
        setTimeout(open, RETRY_MS);
      }
    };
  }

  function send(message) {
    if (socket.readyState === WebSocket.OPEN) {
      socket.send(JSON.stringify(message));
    }
  }

  open();
  return {
    send,
    /** Send a picture, unless the one before is still on its way; says whether it was sent. */
    sendPicture(blob) {
      if (socket.readyState !== WebSocket.OPEN || socket.bufferedAmount > 0) return false;
      socket.send(blob);
      return true;
    },
    press: (name, more = {}) => send({ type: "press", name, ...more }),
    release: (name) => send({ type: "release", name }),
    tap(name) {
      send({ type: "press", name });
      send({ type: "release", name });
    },
  };
}
