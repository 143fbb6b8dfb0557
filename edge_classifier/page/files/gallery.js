// Stored pictures to look at and clean up: rows of them, of which some are in sight.

import { $, make, set, show } from "./dom.js";
import { text } from "./texts.js";

const WIDTH = 104;
const HEIGHT = 110;

function makePicture() {
  const button = make("button", { type: "button" });
  button.append(make("img", { alt: "" }), make("span"), make("small"));
  return button;
}

function fill(list, count, makeOne) {
  while (list.children.length > count) list.lastChild.remove();
  while (list.children.length < count) list.append(makeOne());
}

/** Make what draws it; `drawButtons` draws a row of buttons. */
export function makeGallery(connection, drawButtons) {
  let told = "";

  /** Say for how many pictures there is room, where that has changed. */
  function tellRoom() {
    const columns = Math.max(2, Math.floor($("gallery-rows").clientWidth / WIDTH));
    const rows = Math.max(2, Math.floor((window.innerHeight * 0.55) / HEIGHT));
    const room = `${columns} ${rows}`;
    if (room !== told) {
      told = room;
      connection.send({ type: "room", columns, rows });
    }
  }

  function drawRow(place, row, pictures, mirrored) {
    const [heading, list] = place.children;
    const pick = heading.firstChild;
    show(heading, Boolean(row.heading));
    set(pick, "textContent", row.heading);
    set(pick, "disabled", !row.round);
    pick.onclick = () => connection.tap(`round:${row.round}`);
    fill(list, row.pictures.length, () => make("li", {}, makePicture()));
    row.pictures.forEach((picture, column) => {
      const button = list.children[column].firstChild;
      const [image, name, what] = button.children;
      const url = pictures.get(picture.thumbnail);
      if (url) set(image, "src", url);
      else image.removeAttribute("src");
      image.classList.toggle("mirrored", mirrored);
      set(name, "textContent", picture.className);
      set(what, "textContent", picture.problem || picture.text);
      button.style.setProperty("--colour", picture.colour);
      button.setAttribute("aria-pressed", String(picture.chosen));
      button.onclick = () => connection.tap(`choose:${picture.id}`);
    });
  }

  return function draw(view, pictures, teaching) {
    const { gallery } = view;
    show($("gallery"), Boolean(gallery));
    if (!gallery || !teaching) told = "";
    if (!gallery) return;
    if (teaching) tellRoom();
    set($("gallery-title"), "textContent", gallery.title);
    set($("gallery-detail"), "textContent", gallery.detail);
    show($("gallery-progress"), gallery.progress !== null);
    if (gallery.progress !== null) set($("gallery-progress"), "value", gallery.progress);
    const places = $("gallery-rows");
    fill(places, gallery.rows.length, () =>
      make("div", {}, make("h3", {}, make("button", { type: "button" })), make("ol")),
    );
    gallery.rows.forEach((row, place) => drawRow(places.children[place], row, pictures, view.mirrored));
    const more = gallery.rowCount > gallery.rows.length;
    const scrolling = [
      { text: text("earlier"), press: "pageup" },
      { text: text("later"), press: "pagedown" },
    ];
    drawButtons($("gallery-buttons"), [...(more ? scrolling : []), ...(view.prompt ? [] : view.buttons)]);
  };
}
