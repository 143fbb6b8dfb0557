// The page: draws what the session shows, and tells it what is pressed.

import { makeCamera } from "./camera.js";
import { connect } from "./connection.js";
import { $, make, set, show } from "./dom.js";
import { makeDropping } from "./drop.js";
import { makeGallery } from "./gallery.js";
import { hearKeys, holdable } from "./keys.js";
import { drawRegion, hearDrags } from "./region.js";
import { text } from "./texts.js";
import { makeTools } from "./tools.js";

const ANSWER_MS = 600;

const pictures = new Map();
const cards = new Map();
let view = null;
let you = { teaching: false, taught: false, visitors: 0, download: "", camera: false };
let ended = "";
let lost = false;
let said = "";
let newest = null;

const connection = connect({
  words(message) {
    lost = false;
    for (const [name, url] of Object.entries(message.pictures)) pictures.set(name, url);
    ({ view, you } = message);
    forgetPictures();
    draw();
    if (!message.picture) connection.send({ type: "shown" });
  },
  async picture(blob) {
    try {
      const bitmap = await createImageBitmap(blob);
      newest?.close();
      newest = bitmap;
      drawPicture();
    } finally {
      connection.send({ type: "shown" });
    }
  },
  lost() {
    lost = true;
    camera.want(false);
    drawNotice();
  },
  ended(why) {
    ended = why;
    camera.want(false);
    drawNotice();
  },
});

const say = (line) => {
  said = line;
  drawNotice();
};
const camera = makeCamera(connection, say, () => drawTools(view));
const dropping = makeDropping(say);
const drawGallery = makeGallery(connection, drawButtons);
const drawTools = makeTools(connection, camera, drawButtons);

const isFraming = () => view?.mode === "framing" && you.teaching;

function forgetPictures() {
  const inSight = new Set([
    ...view.cards.map((card) => card.thumbnail),
    ...(view.gallery?.rows ?? []).flatMap((row) => row.pictures.map((picture) => picture.thumbnail)),
    view.prompt?.picture,
  ]);
  for (const name of pictures.keys()) if (!inSight.has(name)) pictures.delete(name);
}

function drawPicture() {
  const canvas = $("picture");
  if (!newest) return;
  if (canvas.width !== newest.width || canvas.height !== newest.height) {
    canvas.width = newest.width;
    canvas.height = newest.height;
  }
  canvas.getContext("2d").drawImage(newest, 0, 0);
  if (view?.region) drawRegion(canvas, view.region);
}

function draw() {
  set($("title"), "textContent", view.title);
  set(document, "title", `${view.title.split(" · ")[0]} · Edge Classifier`);
  drawActivity();
  drawNotice();
  $("picture").classList.toggle("mirrored", view.mirrored);
  $("picture").classList.toggle("framing", isFraming());
  const region = JSON.stringify(view.region);
  if ($("picture").dataset.region !== region) {
    $("picture").dataset.region = region;
    drawPicture();
  }
  show($("picture"), view.hasImage);
  show($("waiting"), !view.hasImage);
  show($("paused"), view.paused);
  show($("tag"), view.tag !== "");
  set($("tag"), "textContent", view.tag);
  show($("message"), Boolean(view.message));
  set($("message"), "textContent", view.message?.text ?? "");
  $("message").dataset.level = view.message?.level ?? "info";
  drawVerdict();
  drawPrompt();
  drawGallery(view, pictures, you.teaching);
  drawMenu();
  drawCards();
  show($("first"), view.mode === "live" && (!view.cards.length || $("first").classList.contains("held")));
  drawHelp();
  drawTools(view);
  set($("hint"), "textContent", view.hint);
  set($("quality"), "textContent", view.quality);
  show($("rates"), Boolean(view.rates));
  if (view.rates) {
    const { fps, capture, inference, drawing } = view.rates;
    $("rates").textContent = `${fps} fps · capture ${capture} · inference ${inference} · drawing ${drawing} ms`;
  }
  show($("download"), Boolean(you.download));
  set($("download"), "textContent", text("download", { name: you.download }));
  for (const id of ["tools", "cards", "first", "drop", "prompt", "gallery", "menu"]) set($(id), "inert", !you.teaching);
  camera.want(you.camera && you.teaching);
}

function drawActivity() {
  const { text: what, progress, recording } = view.activity;
  set($("activity-text"), "textContent", what);
  show($("dot"), recording);
  show($("progress"), progress !== null);
  if (progress !== null) set($("progress"), "value", progress);
}

function drawNotice() {
  let line = said;
  let button = "";
  if (ended) {
    document.querySelector("main").inert = $("tools").inert = true;
    line = text(ended);
    button = ended === "outdated" ? "load" : "";
  } else if (lost) {
    line = text("lost");
  } else if (view && !you.teaching) {
    line = text(you.taught ? "anotherTeaches" : "nobodyTeaches");
    button = "teachHere";
  }
  show($("notice"), Boolean(line));
  set($("notice-text"), "textContent", line);
  show($("notice-button"), Boolean(button));
  set($("notice-button"), "textContent", button && text(button));
}

let spoken = "";
let speaking = 0;

function drawVerdict() {
  const { banner } = view;
  const label = banner ? (banner.unknown ? text("unknown") : banner.label) : text("noVerdict");
  set($("label"), "textContent", label);
  $("verdict").classList.toggle("none", !banner);
  $("verdict").style.setProperty("--colour", banner?.colour ?? "transparent");
  const share = banner?.confidence ?? banner?.similarity ?? 0;
  set($("confidence"), "textContent", banner?.confidence != null ? `${Math.round(100 * share)} %` : "");
  $("confidence-bar").style.width = `${100 * (banner?.confidence ?? 0)}%`;
  if (banner && label !== spoken) {
    spoken = label;
    clearTimeout(speaking);
    speaking = setTimeout(() => set($("answer"), "textContent", label), ANSWER_MS);
  }
}

function drawButtons(place, buttons) {
  const key = JSON.stringify(buttons);
  if (place.dataset.drawn === key) return;
  place.dataset.drawn = key;
  place.replaceChildren(
    ...buttons.map(({ text: textContent, press }) =>
      make("button", { type: "button", textContent, onclick: () => answer(press) }),
    ),
  );
}

function answer(press) {
  if (press === "enter" && view.mode === "typing") {
    connection.send({ type: "answer", text: $("prompt-text").value.normalize("NFC") });
  } else {
    connection.tap(press);
  }
}

let asked = null;

function drawPrompt() {
  const { prompt } = view;
  const dialog = $("prompt");
  const typing = Boolean(prompt) && prompt.text !== null;
  show(dialog, Boolean(prompt));
  if (!prompt) {
    asked = null;
    return;
  }
  set($("prompt-title"), "textContent", prompt.title);
  set($("prompt-note"), "textContent", typing ? "" : prompt.note);
  set($("prompt-error"), "textContent", prompt.error ?? "");
  show($("prompt-text"), typing);
  const url = prompt.picture && pictures.get(prompt.picture);
  show($("prompt-picture"), Boolean(url));
  if (url) set($("prompt-picture"), "src", url);
  dialog.classList.toggle("about-picture", Boolean(url));
  drawButtons($("prompt-buttons"), view.buttons);
  if (asked !== prompt.title) {
    asked = prompt.title;
    if (typing) {
      $("prompt-text").value = prompt.text;
      if (you.teaching) {
        $("prompt-text").focus();
        $("prompt-text").select();
      }
    } else if (you.teaching) {
      $("prompt-buttons").querySelector("button")?.focus();
    }
  }
}

function drawMenu() {
  const { menu } = view;
  show($("menu"), Boolean(menu));
  show(document.querySelector("main"), !menu);
  if (!menu) return;
  set($("menu-title"), "textContent", menu.title);
  drawButtons($("menu-buttons"), view.buttons);
  const key = JSON.stringify(menu);
  if ($("menu").dataset.drawn === key) return;
  $("menu").dataset.drawn = key;
  $("menu-choices").replaceChildren(
    ...menu.choices.map(({ press, text: what, detail, where }) => {
      const button = make("button", { type: "button", onclick: () => connection.tap(press) });
      button.append(make("b", { textContent: what }), make("small", { textContent: [detail, where].filter(Boolean).join(" · ") }));
      return make("li", {}, button);
    }),
  );
}

function makeCard(name) {
  const hold = make("button", { type: "button", className: "hold", textContent: text("hold") });
  hold.setAttribute("aria-label", text("holdFor", { name }));
  const letGo = holdable(hold, connection, () => `record:${name}`);
  const look = make("button", { type: "button", className: "small", textContent: "▦", title: text("look", { name }) });
  look.setAttribute("aria-label", text("look", { name }));
  look.onclick = () => connection.tap(`look:${name}`);
  const rename = make("button", { type: "button", className: "small", textContent: "✎", title: text("rename", { name }) });
  rename.setAttribute("aria-label", text("rename", { name }));
  rename.onclick = () => connection.tap(`rename:${name}`);
  const remove = make("button", { type: "button", className: "small", textContent: "✕", title: text("remove", { name }) });
  remove.setAttribute("aria-label", text("remove", { name }));
  remove.onclick = () => {
    connection.tap(`select:${name}`);
    connection.tap("x");
  };
  const parts = {
    image: make("img", { alt: "" }),
    key: make("kbd"),
    name: make("span", { className: "name", textContent: name }),
    count: make("span", { className: "count" }),
    bar: make("span"),
  };
  const about = make(
    "div",
    { className: "about" },
    make("p", {}, parts.key, parts.name),
    make("div", { className: "bar" }, parts.bar),
    make("p", {}, parts.count),
  );
  const element = make("li", { className: "card" }, parts.image, about, look, rename, remove, hold);
  element.addEventListener("dragover", (event) => {
    event.preventDefault();
    element.classList.add("over");
  });
  element.addEventListener("dragleave", () => element.classList.remove("over"));
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    element.classList.remove("over");
    dropping.dropped(event.dataTransfer, name);
  });
  return { element, parts, letGo };
}

function drawCards() {
  const names = view.cards.map((card) => card.name);
  for (const [name, card] of cards) {
    if (!names.includes(name)) {
      card.letGo();
      card.element.remove();
      cards.delete(name);
    }
  }
  view.cards.forEach((card, place) => {
    if (!cards.has(card.name)) cards.set(card.name, makeCard(card.name));
    const { element, parts } = cards.get(card.name);
    if ($("cards").children[place] !== element) {
      $("cards").insertBefore(element, $("cards").children[place] ?? null);
    }
    const url = pictures.get(card.thumbnail);
    if (url) set(parts.image, "src", url);
    else if (card.thumbnail === null) parts.image.removeAttribute("src");
    parts.image.classList.toggle("mirrored", view.mirrored);
    set(parts.key, "textContent", card.key ?? "");
    show(parts.key, card.key !== null);
    set(parts.count, "textContent", text("pictures", { count: card.count }));
    parts.bar.style.width = `${100 * (card.score ?? 0)}%`;
    element.style.setProperty("--colour", card.colour);
    element.classList.toggle("recording", card.recording);
    element.classList.toggle("selected", card.selected);
  });
}

function drawHelp() {
  show($("help"), view.help.length > 0);
  const key = String(view.help.length);
  if ($("help").dataset.drawn === key) return;
  $("help").dataset.drawn = key;
  $("help-rows").replaceChildren(
    ...view.help.map(([keys, meaning]) =>
      make("tr", {}, make("th", { scope: "row", textContent: keys }), make("td", { textContent: meaning })),
    ),
  );
}

$("waiting").textContent = text("waiting");
$("paused").textContent = text("paused");
$("picture").setAttribute("aria-label", text("picture"));
$("classes-title").textContent = text("classes");
$("first").textContent = text("first");
holdable($("first"), connection, () => "1");
$("drop-text").textContent = text("drop");
$("help").setAttribute("aria-label", text("keys"));
$("files-label").firstElementChild.textContent = text("addFiles");
$("folder-label").firstElementChild.textContent = text("addFolder");
$("tools").setAttribute("aria-label", text("tools"));
$("notice-button").onclick = () => {
  if (ended) location.reload();
  else connection.send({ type: "teach" });
};
$("prompt-form").addEventListener("submit", (event) => {
  event.preventDefault();
  answer("enter");
});
$("prompt-text").addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing) connection.tap("escape");
});
for (const id of ["files", "folder"]) {
  $(id).addEventListener("change", ({ target }) => {
    dropping.chosen(target.files);
    target.value = "";
  });
}
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  dropping.dropped(event.dataTransfer);
});
hearKeys(connection);
hearDrags($("picture"), connection, isFraming);
