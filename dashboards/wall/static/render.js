// A screen document as elements. The server builds the same ones in templates/wall.html: change both.

import { h } from "./morph.js";

const HIDDEN = { "aria-hidden": "true" };
const FLAT = { preserveAspectRatio: "none", ...HIDDEN };

export function panels(v, doc) {
  return doc.panels.map((p) => h("section", { class: v.classes(p), id: `p-${p.id}` }, FORMS[p.form](v, p, doc)));
}

const glyph = (v, state) => h(`span.glyph.s-${state}`, HIDDEN, v.glyphs[state]);
const said = (v, state, words = v.word(state)) => h(`span.said.s-${state}`, null, h("span.glyph", HIDDEN, v.glyphs[state]), ` ${words}`);
const unseen = (words) => h("span.unseen", null, words);
const nothing = (words) => h("p.nothing", null, words);
const more = (v, n) => (n ? h("p.more", null, v.word("more", { n: v.number(n) })) : null);
const named = (words) => h("td.name", null, h("span", null, words));
const heading = (v, p, aside = true) => h("header", null,
  h("h2", null, v.text(p.title)), aside ? h("span.aside", null, v.aside(p)) : null, h("span.age", null, v.age(p)));

const meter = (at, state) => h(`svg.meter.s-${state}`, { viewBox: "0 0 1000 12", ...FLAT },
  h("rect.track", { width: 1000, height: 12 }), h("rect.fill", { width: at, height: 12 }));

const table = (density, head, rows) => h(`table.${density}`, null,
  head ? h("thead", null, h("tr", null, head)) : null, h("tbody", null, rows));

function headline(v, p) {
  const state = v.state(p);
  const spark = v.spark(p);
  const scale = v.meterScale(p);
  return [
    h("header", null, h("h2", null, v.text(p.title)), h("p.state", null, said(v, state, v.verdict(state, p.rate)))),
    h("p", { class: v.valueClass(p) }, p.rate === null ? "–" : [v.number(p.rate * 100, 1), h("small", null, " %")]),
    h("p.count", null, `${v.number(p.numerator)} / ${v.number(p.denominator)} `, h("span", null, v.text(p.unit))),
    h(`svg.meter.bullet.s-${state}`, { viewBox: "0 0 1000 24", ...FLAT },
      h("rect.track", { y: 6, width: 1000, height: 12 }),
      h("rect.fill", { y: 6, width: v.along(p.rate, 0, scale), height: 12 }),
      p.target ? h("path.mark", { d: `M${v.along(p.target.value, 0, scale)} 0v24` }) : null),
    h("div.against", null, h("p.target", null, v.target(p).map((words) => h("span", null, words))), h("p.change", null, v.change(p))),
    h("div.trend", null, p.note ? h("p.remark", null, v.text(p.note)) : null, spark ? [
      h("p.range", null, spark.range),
      h("svg.spark", { viewBox: "0 0 1000 200", ...FLAT },
        h("path.area", { d: spark.area }), h("path.line", { d: spark.line }), h("path.dot", { d: spark.dot })),
    ] : null),
    h("footer", null, h("span.aside", null, v.aside(p)), h("span.age", null, v.age(p))),
  ];
}

function attention(v, p) {
  if (!p.items.length && p.measured_us === null) return [heading(v, p), nothing(v.word("no_age"))]; // silence is not calm
  if (!p.items.length) return [heading(v, p), h("p.nothing.calm", null, glyph(v, "ok"), ` ${v.word("calm")}`)];
  return [heading(v, p), h(`ul.items.n${p.items.length}`, null, p.items.map((item) => h(`li.s-${item.state}`, null,
    glyph(v, item.state),
    h("div.what", null, h("strong", null, v.text(item.title)), h("span", null, v.text(item.text))),
    h("div.when", null, h("strong", null, v.since(item)), h("span", null, item.right ? v.text(item.right) : v.word(item.state)))))),
  more(v, p.left_out)];
}

function league(v, p) {
  const l = v.league(p);
  if (!l.rows.length) return [heading(v, p, false), nothing(v.word("empty"))];
  const last = l.wide ? "word" : "sign";
  const head = [
    h("th.rank", null, unseen(v.word("rank"))), h("th.name", null, h("span", null, v.aside(p))), h("th.num", null, v.word("rate")),
    h("th.num", null, v.word("count")),
    h("th.bar", null, v.ends(l.low, l.high)),
    h(`th.${last}`, null, unseen(v.word("state"))),
  ];
  const rows = l.rows.map((row) => (row === null
    ? h("tr.gap", null, h("td.rank", null, "⋮"), h("td", { colspan: 5 }))
    : h("tr", { class: row.enough ? "" : "few" },
      h("td.rank", null, v.number(row.rank)),
      named(v.text(row.name)),
      h("td.num", null, v.points(row.rate)),
      h("td.num.dim", null, `${v.number(row.numerator)}/${v.number(row.denominator)}`),
      h("td.bar", null, row.rate !== null && row.enough ? h(`svg.dots.s-${row.state}`, { viewBox: "0 0 1000 12", ...FLAT },
        h("path.rail", { d: "M0 6H1000" }), h("path.dot", { d: `M${v.along(row.rate, l.low, l.high)} 6h0` })) : null),
      h(`td.${last}`, null, l.wide ? said(v, row.state, v.verdict(row.state, row.rate)) : [glyph(v, row.state), unseen(v.verdict(row.state, row.rate))]))));
  return [heading(v, p, false), table(l.density, head, rows), more(v, l.leftOut)];
}

function bars(v, p) {
  return [
    heading(v, p),
    h("p.series", null, p.series.map((s, i) => h(`span.k${i}`, null, h("i"), `${v.text(s.name)} `, h("b", null, v.total(s.values))))),
    h("div.chart", { "data-keep": p.id }),
  ];
}

function shares(v, p) {
  const r = v.rows(p, p.rows);
  if (!r.rows.length) return [heading(v, p), nothing(v.word("empty"))];
  return [heading(v, p), table(r.density, null, r.rows.map((row) => h("tr", null,
    named(v.text(row.name)),
    h("td.bar", null, meter(v.along(row.count, 0, p.total), row.state || "data")),
    h("td.num", null, v.number(row.count)),
    h("td.sign", null, row.state ? [glyph(v, row.state), unseen(v.word(row.state))] : null)))), more(v, r.leftOut)];
}

function rates(v, p) {
  const r = v.rows(p, p.rows, 1.6);
  if (!r.rows.length) return [heading(v, p, false), nothing(v.word("empty"))];
  const head = [
    h("th.name", null, h("span", null, v.aside(p))), h("th.num", null, v.word("rate")), h("th.num", null, v.word("count")),
    h("th.bar", null, v.ends(0, 1)),
    h("th.sign", null, unseen(v.word("state"))),
  ];
  return [heading(v, p, false), table(r.density, head, r.rows.map((row) => h("tr", null,
    named(v.text(row.name)),
    h("td.num", null, v.points(row.rate)),
    h("td.num.dim", null, `${v.number(row.numerator)}/${v.number(row.denominator)}`),
    h("td.bar", null, meter(v.along(row.rate, 0, 1), row.state)),
    h("td.sign", null, glyph(v, row.state), unseen(v.verdict(row.state, row.rate)))))), more(v, r.leftOut)];
}

function list(v, p) {
  const r = v.rows(p, p.rows, 1.6);
  if (!r.rows.length) return [heading(v, p), nothing(v.word("empty"))];
  return [heading(v, p), table(r.density, p.columns.map((c, i) => h(`th.${v.column(p, i)}`, null, v.text(c.name))),
    r.rows.map((row) => h("tr", null, row.map((cell, i) => h(`td.${v.column(p, i)}`, null, h("span", null, v.text(cell))))))),
  more(v, r.leftOut)];
}

function ages(v, p, doc) {
  if (p.grid.h <= 1) {
    return [
      h("h2.unseen", null, v.text(p.title)),
      h("ul.feeds", null, p.rows.length ? null : h("li", null, v.word("empty")), p.rows.map((row) => h("li", null,
        glyph(v, row.state), " ", h("span.who", null, v.text(row.name)), " ", h("b", null, v.sourceAge(row, doc))))),
      h("span.age", null, v.age(p)),
    ];
  }
  const r = v.rows(p, p.rows, 1.6);
  if (!r.rows.length) return [heading(v, p), nothing(v.word("empty"))];
  const head = [
    h("th.name", null, v.word("name")), h("th.num", null, v.word("silence")), h("th.num", null, v.word("usual")),
    h("th.word", null, unseen(v.word("state"))),
  ];
  return [heading(v, p), table(r.density, head, r.rows.map((row) => h("tr", null,
    h("td.name", null, h("span", null, v.text(row.name), row.detail ? [" ", h("em", null, v.text(row.detail))] : null)),
    h("td.num", null, v.sourceAge(row, doc)),
    h("td.num.dim", null, row.expected_s === null ? "–" : v.duration(row.expected_s)),
    h("td.word", null, said(v, row.state))))), more(v, r.leftOut)];
}

function facts(v, p) {
  return [heading(v, p), h(`ul.tiles.n${p.items.length}`, null, p.items.map((item) => h(`li.s-${item.state}`, null,
    h("span.what", null, v.text(item.name)),
    h("b", { class: v.text(item.value).length > 9 ? "long" : "" }, v.text(item.value)),
    h("span.sub", null, v.factUnit(item) ? h("span", null, v.factUnit(item)) : null, v.judged(item) ? said(v, item.state) : null))))];
}

const FORMS = { headline, attention, league, bars, shares, rates, list, ages, facts };
