// The buttons below: what keys do, for those who have none.

import { $, make, set, show } from "./dom.js";
import { holdable } from "./keys.js";
import { text } from "./texts.js";

const TOOLS = [
  { press: "u", key: "undo" },
  { press: "b", key: "background", hold: true },
  { press: "+", key: "add" },
  { press: "a", key: "adapt" },
  { press: "e", key: "export" },
  { key: "more" },
];
const MORE = [
  { press: "w", key: "wrong" },
  { press: "v", key: "review" },
  { press: "z", key: "putBack" },
  { press: "[", key: "lenient" },
  { press: "]", key: "strict" },
  { press: "f", key: "fineTune" },
  { press: "t", key: "train" },
  { press: "r", key: "region" },
  { press: "p", key: "pause" },
  { press: "m", key: "steady" },
  { press: "y", key: "heat" },
  { press: "i", key: "details" },
  { press: "s", key: "saveCopy" },
  { press: "h", key: "keys" },
  { key: "switchCamera" },
  { key: "end" },
];

const KNOWN = new Set([...TOOLS, ...MORE].map(({ press }) => press));
KNOWN.delete("r"); // which is a button of its own where a video has ended

/** Make the buttons; returns what draws them as they are to be now. */
export function makeTools(connection, camera, drawButtons) {
  let moreShown = false;
  let newest = null;

  function makeTool({ press, key, hold }) {
    const button = make("button", { type: "button", textContent: text(key) });
    button.dataset.tool = key;
    if (hold) {
      holdable(button, connection, () => press);
    } else if (press) {
      button.onclick = () => connection.tap(press);
    } else if (key === "more") {
      button.setAttribute("aria-expanded", "false");
      button.setAttribute("aria-controls", "more");
      button.onclick = () => {
        moreShown = !moreShown;
        draw(newest);
      };
    } else if (key === "switchCamera") {
      button.onclick = () => camera.switch();
    } else if (key === "end") {
      button.onclick = () => confirm(text("endSure")) && connection.tap("q");
    }
    return button;
  }

  const others = make("p");
  const usual = make("p", {}, ...TOOLS.map(makeTool));
  $("tools").append(others, make("p", { id: "more", hidden: true }, ...MORE.map(makeTool)), usual);
  $("more").addEventListener("click", () => {
    moreShown = false;
    draw(newest);
  });

  function draw(view) {
    newest = view;
    const framing = view?.mode === "framing";
    show($("tools"), !view || view.mode === "live" || framing);
    show(usual, !framing);
    const more = (view?.buttons ?? []).filter(({ press }) => framing || !KNOWN.has(press));
    drawButtons(others, more);
    show(others, more.length > 0);
    show($("more"), moreShown && !framing);
    document.querySelector("[data-tool=more]").setAttribute("aria-expanded", String(moreShown));
    show(document.querySelector("[data-tool=switchCamera]"), camera.running);
    set(document.querySelector("[data-tool=pause]"), "textContent", text(view?.paused ? "resume" : "pause"));
  }

  return draw;
}
