// Keys as the window has them: digits and brackets where a US keyboard has them, letters by their caps.

const BY_PLACE = {
  Enter: "enter", NumpadEnter: "enter", Escape: "escape", Backspace: "backspace", Space: " ", Delete: "delete",
  ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down", Home: "home", End: "end",
  PageUp: "pageup", PageDown: "pagedown", NumpadAdd: "+", NumpadSubtract: "-",
};
const SIGNS = { "[": "[", "]": "]", "+": "+", "-": "-", "=": "+", "?": "?" };
const SIGNS_BY_PLACE = { BracketLeft: "[", BracketRight: "]", Equal: "+", Minus: "-", Slash: "?" };
const GO_ON = new Set(["up", "down", "left", "right", "pageup", "pagedown"]);
const SCROLLING = new Set([...GO_ON, "home", "end", " "]);
const LEFT_TO_BUTTONS = new Set(["enter", " "]);

function nameOf({ code, key }) {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(code);
  if (digit) return digit[1];
  if (BY_PLACE[code]) return BY_PLACE[code];
  if (/^F\d+$/.test(code)) return code === "F1" ? "f1" : "";
  const cap = key.toLowerCase();
  if (/^[a-z]$/.test(cap)) return cap;
  return SIGNS[cap] ?? /^Key([A-Z])$/.exec(code)?.[1].toLowerCase() ?? SIGNS_BY_PLACE[code] ?? "";
}

/** Hear the keyboard, but for what is typed into a field or meant for a button that has the focus. */
export function hearKeys(connection) {
  const down = new Map();

  function letGo(code) {
    if (down.has(code)) {
      connection.release(down.get(code));
      down.delete(code);
    }
  }

  document.addEventListener("keydown", (event) => {
    const name = nameOf(event);
    const at = event.target;
    if (!name || name === "q" || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (at.closest("input[type=text], #prompt-text")) return;
    if (LEFT_TO_BUTTONS.has(name) && at.closest("button, a, label, input, summary")) return;
    if (SCROLLING.has(name) && at.closest("#help")) return;
    event.preventDefault();
    if (event.repeat) {
      if (GO_ON.has(name) && down.has(event.code)) connection.press(name, { repeated: true });
      return;
    }
    down.set(event.code, name);
    connection.press(name, { text: event.key.length === 1 ? event.key : "" });
  });
  document.addEventListener("keyup", (event) => letGo(event.code));
  const letAllGo = () => [...down.keys()].forEach(letGo);
  window.addEventListener("blur", letAllGo);
  document.addEventListener("visibilitychange", letAllGo);
}

/** Have a button pressed for as long as a finger, the mouse or a key holds it. */
export function holdable(button, connection, nameNow) {
  let held = null;

  function begin(event) {
    if (held !== null || button.disabled) return;
    event.preventDefault();
    button.focus();
    held = nameNow();
    button.classList.add("held");
    connection.press(held);
  }

  function end() {
    if (held === null) return;
    connection.release(held);
    button.classList.remove("held");
    held = null;
  }

  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    button.setPointerCapture(event.pointerId);
    begin(event);
  });
  for (const kind of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) {
    button.addEventListener(kind, end);
  }
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  button.addEventListener("keydown", (event) => {
    if ((event.key === "Enter" || event.key === " ") && !event.repeat) begin(event);
  });
  button.addEventListener("keyup", (event) => {
    if (event.key === "Enter" || event.key === " ") end();
  });
  return end;
}
