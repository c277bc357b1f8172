// What the browser tests ask within the page; each is one function.

// Leaf elements that show something must lie inside their panel and not on each other; text must not be cut off,
// except where it says so with an ellipsis.
const boxes = () => {
  const found = [], phone = innerWidth < 700;
  const name = (e) => `${e.closest('section')?.id ?? 'page'} ${e.tagName}.${e.getAttribute('class') ?? ''} ${e.textContent.slice(0, 30)}`;
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) found.push(`page is ${root.scrollWidth} wide`);
  if (!phone && root.scrollHeight > innerHeight) found.push(`page is ${root.scrollHeight} high`);
  const apart = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) < 1.5
    || Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) < 1.5;
  const blocks = [...document.querySelectorAll('main > section, .top, .bottom')];
  for (const [i, a] of blocks.entries()) {
    const box = a.getBoundingClientRect();
    if (box.left < -1 || box.right > innerWidth + 1 || (!phone && box.bottom > innerHeight + 1)) found.push(`outside: ${name(a)}`);
    for (const b of blocks.slice(i + 1)) if (!apart(box, b.getBoundingClientRect())) found.push(`panels overlap: ${name(a)} | ${name(b)}`);
    const leaves = [...a.querySelectorAll('*')].filter((e) => !e.closest('.unseen, [hidden], .chart *')
      && !(e.closest('svg') && e.tagName !== 'svg') && e.getClientRects().length
      && ([...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || e.matches('svg, .chart')));
    // What a clamped name hides takes no room: boxes are those that can be seen.
    const seen = (e) => {
      const r = e.getBoundingClientRect(), outer = e.parentElement.closest('td > span')?.getBoundingClientRect();
      if (!outer) return r;
      const [left, top] = [Math.max(r.left, outer.left), Math.max(r.top, outer.top)];
      const [right, bottom] = [Math.min(r.right, outer.right), Math.min(r.bottom, outer.bottom)];
      return { left, top, right, bottom, width: Math.max(right - left, 0), height: Math.max(bottom - top, 0) };
    };
    for (const [n, leaf] of leaves.entries()) {
      const r = seen(leaf);
      if (!r.width || !r.height) continue;
      if (r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 1 || r.bottom > box.bottom + 1) found.push(`sticks out: ${name(leaf)}`);
      const style = getComputedStyle(leaf), clamp = style.webkitLineClamp !== 'none' || style.textOverflow === 'ellipsis';
      if (style.display !== 'inline' && !leaf.matches('svg, .chart') && leaf.scrollWidth > leaf.clientWidth + 1 && !clamp) found.push(`cut off: ${name(leaf)}`);
      for (const other of leaves.slice(n + 1)) {
        if (leaf.contains(other) || other.contains(leaf)) continue;
        if (!apart(r, seen(other))) found.push(`overlap: ${name(leaf)} | ${name(other)}`);
      }
    }
  }
  return found;
};

// The elements and words of the server's page against those that the browser builds from the same document.
const same = async () => {
  const html = await (await fetch(location.href)).text();
  const page = new DOMParser().parseFromString(html, 'text/html');
  const seed = JSON.parse(page.getElementById('seed').textContent);
  const base = document.querySelector('script[type=module]').src;
  const { View } = await import(new URL('view.js', base));
  const { panels } = await import(new URL('render.js', base));
  const view = new View(seed);
  view.nowUs = seed.document.now_us;
  const main = document.createElement('main');
  main.append(...panels(view, seed.document));
  const flat = (node) => node.nodeType === 3 ? node.data.replace(/ +/g, ' ') : [node.tagName.toLowerCase(),
    [...node.attributes].map((a) => `${a.name.toLowerCase()}=${a.value}`).filter((a) => a !== 'class=').sort().join(' '),
    [...node.childNodes].filter((n) => n.nodeType !== 3 || n.data.trim()).map((n) => n.nodeType === 3 ? n.data.trim() : flat(n))];
  const pairs = [...page.querySelectorAll('main > section')].map((s, i) => [flat(s), flat(main.children[i])]);
  return pairs.map(([a, b]) => [JSON.stringify(a), JSON.stringify(b)]).filter(([a, b]) => a !== b);
};
