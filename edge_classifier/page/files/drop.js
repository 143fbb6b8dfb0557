// Files that are dropped or chosen: sent one after the other, many of them as one body.

import { visitor } from "./connection.js";
import { text } from "./texts.js";

const ALONE = /\.(zip|tar|tgz|tbz2?|txz|gz|bz2|xz|tm|avi|mp4|mov|mkv|webm|m4v|mjpe?g)$/i;

async function filesIn(entry, path) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ file, path: path + entry.name }];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return found;
    for (const each of some) found.push(...(await filesIn(each, `${path}${entry.name}/`)));
  }
}

/** Name what several files have in common: their folder, if that is one. */
function commonFolder(files) {
  const folders = new Set(files.map(({ path }) => (path.includes("/") ? path.split("/")[0] : "")));
  const [only] = folders;
  return folders.size === 1 && only ? only : "";
}

function bodyOf(files, folder) {
  const cut = folder ? folder.length + 1 : 0;
  return new Blob(
    files.flatMap(({ file, path }) => [`${JSON.stringify({ path: path.slice(cut), size: file.size })}\n`, file]),
  );
}

async function send(name, body, className, many) {
  const asked = new URLSearchParams({ visitor, name, many: many ? "1" : "", class: className ?? "" });
  for (;;) {
    const answer = await fetch(`dropped?${asked}`, { method: "POST", body });
    if (answer.status !== 429) return answer.ok ? "" : answer.text();
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Make what sends files; `say` is told how it goes. */
export function makeDropping(say) {
  let before = Promise.resolve();

  async function sendAll(files, className) {
    const alone = files.filter(({ path }) => ALONE.test(path) && !path.includes("/"));
    const others = files.filter((file) => !alone.includes(file));
    const parcels = alone.map(({ file, path }) => [path, file, false]);
    if (others.length === 1 && !others[0].path.includes("/")) {
      parcels.push([others[0].path, others[0].file, false]);
    } else if (others.length) {
      const folder = commonFolder(others);
      parcels.push([folder || "dropped", bodyOf(others, folder), true]);
    }
    for (const [name, body, many] of parcels) {
      say(text("dropping", { name }));
      const reason = await send(name, body, className, many).catch((error) => error.message);
      say(reason ? text("dropFailed", { name, reason }) : "");
    }
  }

  const add = (files, className) => {
    before = before.then(() => sendAll(files, className)).catch((error) => say(error.message));
  };

  return {
    chosen: (list) => add([...list].map((file) => ({ file, path: file.webkitRelativePath || file.name }))),
    async dropped(transfer, className) {
      const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
      const files = await Promise.all(entries.map((entry) => filesIn(entry, "")));
      add(files.flat(), className);
    },
  };
}
