// Bars by ECharts, drawn into the places that render.js leaves for them. The figures' totals stand beside them as text.

let library; // fetched once, after the figures are on screen: the page does not wait for it

function load() {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("./vendor/echarts.simple.min.js", import.meta.url);
    script.onload = () => resolve(globalThis.echarts);
    script.onerror = () => { library = undefined; reject(new Error("no charts")); };
    document.head.append(script);
  });
  return library;
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);

function option(v, p) {
  const size = rem();
  const values = p.series.flatMap((s) => s.values).filter((value) => value !== null);
  return {
    animation: false, // a wall is calm, and a picture taken of it is whole
    textStyle: { fontFamily: "Nhip Figures, Be Vietnam Pro, sans-serif", fontWeight: 500 },
    grid: { left: 0.2 * size, right: 0.2 * size, top: 0.9 * size, bottom: 0.1 * size, containLabel: true },
    xAxis: {
      type: "category",
      data: p.categories,
      axisTick: { show: false },
      axisLine: { lineStyle: { color: colour("--line"), width: 0.12 * size } },
      axisLabel: { color: colour("--dim"), fontSize: 1.15 * size, hideOverlap: true, margin: 0.4 * size },
    },
    yAxis: {
      type: "value",
      splitNumber: 2,
      minInterval: 1,
      max: values.length ? undefined : 1,
      splitLine: { lineStyle: { color: colour("--line"), width: 0.06 * size } },
      axisLabel: { color: colour("--dim"), fontSize: 1.15 * size, formatter: (value) => v.number(value) },
    },
    series: p.series.map((s, i) => ({
      type: "bar",
      name: v.text(s.name),
      data: s.values.map((value) => value ?? "-"), // "-" leaves a gap: unknown is not zero
      itemStyle: { color: colour(`--k${i % 3}`), borderRadius: [0.2 * size, 0.2 * size, 0, 0] },
      barGap: "12%",
      barCategoryGap: "34%",
      silent: true,
    })),
  };
}

export class Charts {
  constructor() {
    this.drawn = new Map(); // place → {chart, key}
    addEventListener("resize", () => { this.drawn.forEach((entry) => { entry.key = ""; entry.chart.resize(); }); });
  }

  async draw(v, doc) {
    for (const [place, { chart }] of this.drawn) {
      if (!place.isConnected) { chart.dispose(); this.drawn.delete(place); }
    }
    const wanted = doc.panels.filter((p) => p.form === "bars");
    if (!wanted.length) return;
    // Text on a canvas does not change when a font arrives later.
    const [echarts] = await Promise.all([load(), document.fonts.load("500 16px 'Nhip Figures'", "0"), document.fonts.ready]);
    for (const p of wanted) {
      const place = document.querySelector(`#p-${CSS.escape(p.id)} .chart`);
      if (!place || !place.clientHeight) continue;
      const key = JSON.stringify([p.categories, p.series, rem(), v.lang]);
      let entry = this.drawn.get(place);
      if (!entry) this.drawn.set(place, entry = { chart: echarts.init(place, null, { renderer: "canvas" }), key: "" });
      if (entry.key === key) continue;
      entry.key = key;
      entry.chart.setOption(option(v, p), { notMerge: true });
    }
  }
}
