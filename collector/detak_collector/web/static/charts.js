// Makes of each drawing of metrics a chart with axes, whose values can be read. Without it the drawings stay.
"use strict";

(() => {
  const HEIGHT = 150;
  const LEAST_DRAG = 6;
  const FONT = "11px system-ui, sans-serif";
  const LETTER = 6.4;
  const DAY_S = 86400;
  const BYTES = Array.from({ length: 51 }, (_, power) => 2 ** power);
  const PREFIXES = ["", "Ki", "Mi", "Gi", "Ti"];
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const drawn = [];

  // The same words as amount in metric_charts.py, but for what an axis can leave out.
  function amount(value, unit, words, least = 1) {
    let [left, prefix] = [value, 0];
    while (unit.startsWith("B") && Math.abs(left) >= 1024 && prefix < PREFIXES.length - 1) {
      [left, prefix] = [left / 1024, prefix + 1];
    }
    const whole = unit.startsWith("B") && !prefix;
    const places = { minimumFractionDigits: whole ? 0 : least, maximumFractionDigits: whole ? 0 : 1 };
    const number = new Intl.NumberFormat(words.locale, places).format(left);
    return `${number} ${PREFIXES[prefix]}${unit}`.trim();
  }

  function times(words) {
    const said = (style) => {
      const format = new Intl.DateTimeFormat(words.locale, { timeZone: words.zone, hourCycle: "h23", ...style });
      return (seconds) => format.format(seconds * 1000);
    };
    const clock = said({ hour: "2-digit", minute: "2-digit" });
    const exact = said({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
    const day = said({ day: "numeric", month: "short" });
    const month = said({ month: "short" });
    const january = said({ month: "short", year: "numeric" });
    const isJanuary = (seconds) => said({ month: "numeric" })(seconds) === "1";
    const tick = (seconds, step) => {
      if (step >= 28 * DAY_S) return isJanuary(seconds) ? january(seconds) : month(seconds);
      if (step >= DAY_S || /^00\D00$/.test(clock(seconds))) return day(seconds);
      return step < 60 ? exact(seconds) : clock(seconds);
    };
    return { tick, full: said({ dateStyle: "medium", timeStyle: "medium" }) };
  }

  function columns(course) {
    let at = course.from;
    const utc = course.steps.map((step) => (at += step));
    return course.greatest.length ? [utc, course.mean, course.greatest] : [utc, course.mean];
  }

  // A value that stands alone between two gaps has no line.
  function alone(values) {
    const is = (index) => values[index] !== null && values[index] !== undefined;
    return values.flatMap((_, index) => (is(index) && !is(index - 1) && !is(index + 1) ? [index] : []));
  }

  function axes(unit, words, time) {
    const line = { stroke: () => colour("--line"), width: 1 };
    const shared = { stroke: () => colour("--soft"), font: FONT, grid: line, ticks: { ...line, size: 4 }, gap: 4 };
    const longest = (texts) => Math.max(...(texts || []).map((text) => text.length), 3);
    return [
      { ...shared, size: 24, space: 62, values: (_, at, __, ___, step) => at.map((one) => time.tick(one, step)) },
      {
        ...shared, space: 28, ...(unit.startsWith("B") ? { incrs: BYTES } : {}),
        size: (_, texts) => Math.ceil(longest(texts) * LETTER) + 10,
        values: (_, at) => at.map((one) => amount(one, unit, words, 0)),
      },
    ];
  }

  function series(data, unit, words, time) {
    const last = data[1].findLastIndex((value) => value !== null);
    const value = (plot, one, index, at) => {
      const shown = at === null || at === undefined ? data[index][last] : one;
      return shown === null || shown === undefined ? words.unknown : amount(shown, unit, words);
    };
    const single = alone(data[1]);
    const mean = {
      label: words.mean, value, stroke: () => colour("--link"), width: 1.6,
      points: {
        show: false, size: 4, width: 0, fill: () => colour("--link"), filter: () => (single.length ? single : null),
      },
    };
    const greatest = { label: words.greatest, value, points: { show: false }, width: 0 };
    const utc = {
      label: words.time,
      // Where nothing was measured the nearest point is far away: the time is that of the cursor.
      value: (plot, at, _, index) => {
        if (at === null) return time.full(data[0][last]);
        return time.full(data[1][index] === null && plot.cursor.left >= 0 ? plot.posToVal(plot.cursor.left, "x") : at);
      },
    };
    return data.length > 2 ? [utc, mean, greatest] : [utc, mean];
  }

  const veil = () => `color-mix(in srgb, ${colour("--link")} 24%, transparent)`;

  function scales(data, course, unit) {
    const [first, last] = [data[0][0], data[0].at(-1)];
    return {
      x: { time: true, range: (_, from, to) => (from <= first && to >= last ? [course.from, course.to] : [from, to]) },
      y: { range: (_, __, most) => [0, unit === "%" && most <= 100 ? 100 : most * 1.05 || 1] },
    };
  }

  function options(place, data, course, words) {
    const { unit } = place.dataset;
    const time = times(words);
    return {
      width: place.clientWidth, height: HEIGHT, padding: [8, 18, 0, 0],
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), words.zone),
      scales: scales(data, course, unit), axes: axes(unit, words, time), series: series(data, unit, words, time),
      bands: data.length > 2 ? [{ series: [2, 1], fill: veil }] : [],
      cursor: { y: false, drag: { dist: LEAST_DRAG }, sync: { key: "metrics", scales: ["x", null] } },
      legend: { markers: { width: 0, fill: (_, index) => (index === 1 ? "var(--link)" : "var(--plot-band)") } },
    };
  }

  function said(plot) {
    return plot.series.map((one, index) => `${one.label} ${plot.legend.values[index]?._ ?? ""}`).join(", ");
  }

  function show(plot, index) {
    const left = plot.valToPos(plot.data[0][index], "x");
    plot.setCursor({ left, top: plot.valToPos(plot.data[1][index] ?? 0, "y") }, true, true);
  }

  function whole() {
    for (const { plot, course } of drawn) plot.setScale("x", { min: course.from, max: course.to });
  }

  // Arrow keys go from value to value; Home and End to the ends of what is seen; Escape shows all again.
  function keys(plot, title) {
    const face = plot.root.querySelector(".u-wrap");
    const told = () => {
      const [from, to] = plot.series[0].idxs;
      const at = plot.cursor.idx ?? to;
      const values = { valuemin: from, valuemax: to, valuenow: at, valuetext: said(plot) };
      for (const [name, value] of Object.entries(values)) face.setAttribute(`aria-${name}`, value);
    };
    face.tabIndex = 0;
    face.setAttribute("role", "slider");
    face.setAttribute("aria-label", title);
    told();
    face.addEventListener("focus", told);
    face.addEventListener("keydown", (event) => {
      const [from, to] = plot.series[0].idxs;
      const at = plot.cursor.idx ?? to + 1;
      const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: from, End: to }[event.key];
      if (next !== undefined) show(plot, Math.min(to, Math.max(from, next)));
      else if (event.key === "Escape") whole();
      else return;
      event.preventDefault();
      told();
    });
  }

  function draw(place, words) {
    const course = JSON.parse(place.dataset.course);
    if (course.mean.every((value) => value === null)) return;
    const data = columns(course);
    const plot = new uPlot(options(place, data, course, words), data, place);
    place.classList.add("plotted");
    keys(plot, place.dataset.title);
    drawn.push({ plot, course });
    new ResizeObserver(() => {
      if (place.clientWidth) plot.setSize({ width: place.clientWidth, height: HEIGHT });
    }).observe(place);
  }

  for (const section of document.querySelectorAll("[data-plots]")) {
    const words = JSON.parse(section.dataset.plots);
    const places = section.querySelectorAll(".plot");
    if (!places.length) continue;
    places.forEach((place) => draw(place, words));
    const hint = document.createElement("p");
    hint.className = "soft plot-hint";
    hint.textContent = words.hint;
    section.querySelector(".charts, .card").before(hint);
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const { plot } of drawn) plot.redraw();
  });
})();
