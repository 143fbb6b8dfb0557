// What every part of the page needs of the document.

export const $ = (id) => document.getElementById(id);

/** Make an element. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** Set a property only where it differs: what is set anew is read out and laid out anew. */
export function set(element, property, value) {
  if (element[property] !== value) element[property] = value;
}

export function show(element, shown) {
  set(element, "hidden", !shown);
}
