// How a screen document reads in one language at one moment: figures, ages and shapes.
// The server says the same in dashboards/wall/view.py, function by function; a test holds the two together.

const DASH = "–";
const SPACE = "\u00a0";
const ROW_REM = 5.77;
const CHROME_REM = 4.7;
const PITCHES = [3.4, 2.9, 2.65, 2.4, 2.2, 2.05, 1.9, 1.75];
const COMPACT_H = 2;
const HERE = "Asia/Ho_Chi_Minh"; // the wall shows the office's time, wherever the browser believes to be

const TIME = new Intl.DateTimeFormat("en-GB", { timeZone: HERE, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const DATE = new Intl.DateTimeFormat("en-GB", { timeZone: HERE, weekday: "short", day: "2-digit", month: "2-digit", year: "numeric" });
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

export class View {
  constructor(seed) {
    this.words = seed.words;
    this.glyphs = seed.glyphs;
    this.lang = seed.lang;
    this.nowUs = 0;
    const locale = seed.lang === "vi" ? "vi-VN" : "en-US";
    this.formats = [0, 1].map((n) => new Intl.NumberFormat(locale, { minimumFractionDigits: n, maximumFractionDigits: n }));
  }

  text(value) {
    if (value === null || value === undefined) return DASH;
    if (typeof value === "number") return this.number(value, Number.isInteger(value) ? 0 : 1);
    if (typeof value === "object") return value[this.lang] || value.vi || "";
    return String(value);
  }

  word(key, values = {}) {
    return Object.entries(values).reduce((text, [name, value]) => text.replaceAll(`{${name}}`, value), this.words[key]);
  }

  number(value, digits = 0) {
    return value === null || value === undefined ? DASH : this.formats[digits].format(value);
  }

  percent(rate) {
    return rate === null ? DASH : `${this.number(rate * 100, 1)}${SPACE}%`;
  }

  points(rate) {
    return rate === null ? DASH : this.number(rate * 100, 1);
  }

  ends(low, high) {
    return `${this.number(low * 100)}–${this.number(high * 100)}`;
  }

  limit(rate) {
    const value = rate * 100;
    const whole = Math.abs(value - Math.round(value)) < 0.05;
    return `${whole ? this.number(Math.round(value)) : this.number(value, 1)}${SPACE}%`;
  }

  duration(seconds) {
    const s = Math.max(1, Math.floor(seconds));
    for (const [key, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
      if (s >= size) return this.plural(key, Math.floor(s / size));
    }
    return this.plural("second", s);
  }

  plural(key, n) {
    const forms = this.words[key].split("|");
    return (n === 1 ? forms[0] : forms.at(-1)).replace("{n}", this.number(n)).replaceAll(" ", SPACE);
  }

  clock(timeUs) {
    return TIME.format(timeUs / 1000);
  }

  date(timeUs) {
    const part = Object.fromEntries(DATE.formatToParts(timeUs / 1000).map((p) => [p.type, p.value]));
    return `${this.words.weekday.split("|")[DAYS.indexOf(part.weekday)]} ${part.day}/${part.month}/${part.year}`;
  }

  // -- age ---------------------------------------------------------------------------------------------------------

  ageS(panel) {
    return panel.measured_us === null || panel.measured_us === undefined ? null : (this.nowUs - panel.measured_us) / 1e6;
  }

  stale(panel) {
    const age = this.ageS(panel);
    return age !== null && age > panel.limit_s;
  }

  age(panel) {
    const age = this.ageS(panel);
    if (age === null) return this.word("no_age");
    return this.word(this.stale(panel) ? "stale" : "age", { age: this.duration(age) });
  }

  state(panel) {
    return this.stale(panel) ? "old" : panel.state || "none";
  }

  verdict(state, rate) {
    return this.word(state === "none" && rate !== null ? "unjudged" : state);
  }

  window(panel) {
    return panel.window ? this.words[`window_${panel.window}`] ?? panel.window : "";
  }

  aside(panel) {
    const parts = panel.form === "shares" && panel.window === "now" ? [] : [this.window(panel)];
    if (panel.form === "league") parts.push(this.word("minimum", { n: this.number(panel.minimum_n) }));
    if (panel.form === "shares" && !panel.note) parts.push(this.word("total", { n: this.number(panel.total) }));
    if (panel.note && panel.form !== "headline") parts.push(this.text(panel.note));
    return parts.filter(Boolean).join(" · ");
  }

  classes(panel) {
    const { x, y, w, h } = panel.grid;
    const names = ["panel", panel.form, `x${x}`, `y${y}`, `w${w}`, `h${h}`];
    if (h <= COMPACT_H) names.push("compact");
    if (panel.form === "ages" && h <= 1) names.push("strip");
    if (panel.form === "headline") names.push(`s-${this.state(panel)}`);
    if (this.stale(panel)) names.push("stale");
    return names.join(" ");
  }

  // -- headline ----------------------------------------------------------------------------------------------------

  valueClass(panel) {
    return panel.rate !== null && this.number(panel.rate * 100, 1).length > "98,2".length ? "value long" : "value";
  }

  target(panel) {
    if (!panel.target) return [];
    const { value, better, watch } = panel.target;
    const higher = better === "higher";
    const words = [`${this.word("target")} ${higher ? "≥" : "≤"} ${this.limit(value)}`];
    if (watch !== null && watch !== undefined) words.push(`■ ${higher ? "<" : ">"} ${this.limit(watch)}`);
    return words;
  }

  change(panel) {
    if (!panel.change) return "";
    const versus = this.text(panel.change.versus);
    const { points } = panel.change;
    if (points === null) return `${DASH} ${this.word("versus")} ${versus}`;
    const size = this.number(Math.abs(points), 1);
    if (size === "0,0" || size === "0.0") return `${this.word("unchanged")} ${versus}`;
    return `${points > 0 ? "↑" : "↓"} ${size} ${this.word("points")} ${this.word("versus")} ${versus}`;
  }

  meterScale(panel) {
    if (!panel.target || panel.target.better === "higher") return 1;
    return Math.max(panel.target.value * 4, panel.rate || 0, 0.001);
  }

  along(rate, low, high) {
    if (rate === null || rate === undefined || high <= low) return 0;
    return Math.round(Math.min(Math.max((rate - low) / (high - low), 0), 1) * 1000);
  }

  spark(panel) {
    const points = panel.spark ?? [];
    const rates = points.map(([, rate]) => rate).filter((rate) => rate !== null);
    if (rates.length < 2) return null;
    const low = Math.min(...rates);
    const high = Math.max(...rates);
    const middle = (low + high) / 2;
    const half = Math.max((high - low) / 2, 0.001) * 1.15;
    const first = points[0][0];
    const last = points.at(-1)[0];
    const lines = [[]];
    for (const [time, rate] of points) {
      if (rate === null) lines.push([]);
      else lines.at(-1).push([Math.round((time - first) / Math.max(last - first, 1) * 1000), Math.round((middle + half - rate) / (2 * half) * 200)]);
    }
    const drawn = lines.filter((line) => line.length > 1);
    const paths = drawn.map((line) => `M${line.map(([x, y]) => `${x} ${y}`).join("L")}`);
    const areas = paths.map((path, i) => `${path}V200H${drawn[i][0][0]}Z`);
    const end = lines.filter((line) => line.length).at(-1).at(-1);
    const hours = Math.round((last - first) / 1e6 / 3600);
    const span = hours <= 48 ? this.plural("hour", hours) : this.plural("day", Math.round(hours / 24));
    return {
      line: paths.join(""),
      area: areas.join(""),
      dot: `M${end[0]} ${end[1]}h0`,
      range: `${span}: ${this.number(low * 100, 1)}–${this.percent(high)}`,
    };
  }

  // -- tables ------------------------------------------------------------------------------------------------------

  // Rows share the height of their panel: the class says how dense they stand, the count how many there is room for.
  fit(panel, count, extra = 0) {
    let room = panel.grid.h * ROW_REM - CHROME_REM - extra;
    if (panel.grid.h <= COMPACT_H) room += 1.2;
    const name = (pitch) => `p${Math.round(pitch * 100)}`;
    for (const pitch of PITCHES) if (count * pitch <= room) return [name(pitch), count];
    return [name(PITCHES.at(-1)), Math.max(Math.floor(room / PITCHES.at(-1)), 1)];
  }

  rows(panel, rows, extra = 0) {
    const columns = panel.form === "ages" ? Math.max(1, Math.floor(panel.grid.w / 5)) : 1;
    const [density, fits] = this.fit(panel, Math.max(Math.ceil(rows.length / columns), 1), extra);
    const shown = rows.slice(0, fits * columns);
    return { density, rows: shown, leftOut: rows.length - shown.length };
  }

  league(panel) {
    let rows = [];
    let before = null;
    for (const row of panel.rows) {
      if (row.rank !== null && before !== null && row.rank > before + 1) rows.push(null);
      before = row.rank ?? before;
      rows.push(row);
    }
    const [density, fits] = this.fit(panel, rows.length, 1.6);
    let leftOut = 0;
    if (rows.length > fits) { // top and bottom matter most
      const head = Math.floor(fits / 2);
      leftOut = rows.length - fits;
      rows = [...rows.slice(0, head), ...rows.slice(rows.length - (fits - head))];
    }
    const rates = panel.rows.map((row) => row.rate).filter((rate) => rate !== null);
    const low = Math.floor((rates.length ? Math.min(...rates) : 0) * 10) / 10;
    const high = Math.min(Math.max(Math.ceil((rates.length ? Math.max(...rates) : 1) * 10) / 10, low + 0.1), 1);
    return { density, rows, leftOut, low: Math.min(low, high - 0.1), high, wide: panel.grid.w >= 5 };
  }

  column(panel, index) {
    const left = panel.columns.map((column, i) => (column.align === "right" ? -1 : i)).filter((i) => i >= 0);
    if (!left.includes(index)) return "num";
    return index === left.at(-1) ? "name" : "code";
  }

  factUnit(item) {
    return item.value === null || !item.unit ? "" : this.text(item.unit);
  }

  judged(item) {
    return item.state !== "none" || item.value === null;
  }

  total(values) {
    const known = values.filter((value) => value !== null);
    return known.length ? this.number(known.reduce((a, b) => a + b, 0)) : DASH;
  }

  sourceAge(row, document) {
    return row.age_s === null ? DASH : this.duration(row.age_s + (this.nowUs - document.now_us) / 1e6);
  }

  since(item) {
    return item.since_us === null || item.since_us === undefined ? "" : this.duration((this.nowUs - item.since_us) / 1e6);
  }
}
