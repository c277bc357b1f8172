// Elements from data, and the smallest change that turns the shown elements into them.
// Text is only ever set as text: a hostile name stays a name.

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "path", "rect"]);

// h("p.count", {id: "x"}, "text", child, [children], null): null and false are left out.
export function h(selector, attributes, ...children) {
  const [tag, ...names] = selector.split(".");
  const element = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  if (names.length) element.setAttribute("class", names.join(" "));
  for (const [name, value] of Object.entries(attributes ?? {})) if (value !== null) element.setAttribute(name, value);
  element.append(...children.flat(2).filter((child) => child !== null && child !== false && child !== ""));
  return element;
}

// Bring `shown` to look like `wanted`; what did not change is not touched, so nothing flickers.
// An element with data-keep looks after its own content (a chart).
export function morph(shown, wanted) {
  if (shown.nodeType !== wanted.nodeType || shown.nodeName !== wanted.nodeName) {
    shown.replaceWith(wanted);
    return;
  }
  if (shown.nodeType === Node.TEXT_NODE) {
    if (shown.data !== wanted.data) shown.data = wanted.data;
    return;
  }
  if (wanted.dataset.keep !== undefined && shown.dataset.keep === wanted.dataset.keep) return;
  for (const { name } of [...shown.attributes]) if (!wanted.hasAttribute(name)) shown.removeAttribute(name);
  for (const { name, value } of wanted.attributes) if (shown.getAttribute(name) !== value) shown.setAttribute(name, value);
  children(shown, [...wanted.childNodes]);
}

export function children(shown, wanted) {
  const old = [...shown.childNodes];
  wanted.forEach((node, i) => (i < old.length ? morph(old[i], node) : shown.append(node)));
  for (const node of old.slice(wanted.length)) node.remove();
}
