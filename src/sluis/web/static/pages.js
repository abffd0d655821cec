// What pages do besides, where script runs. Nothing rests on it: without, links and forms lead to whole pages, a chart is its
// table, and a session simply ends.

// Says in time that a session is about to end, and lets somebody stay (WCAG 2.2, 2.2.1).
(() => {
  const bar = document.querySelector("[data-idle]");
  if (bar === null) return;
  const ahead = 5 * 60;
  let timer;
  const begin = () => {
    clearTimeout(timer);
    bar.hidden = true;
    timer = setTimeout(() => { bar.hidden = false; }, (Number(bar.dataset.idle) - ahead) * 1000);
  };
  bar.querySelector("button").addEventListener("click", async () => {
    const answer = await fetch("/still-here").catch(() => null);
    if (answer !== null && answer.ok) begin();
    else location.assign("/sign-in");
  });
  document.addEventListener("htmx:after:swap", begin);
  begin();
})();

// A menu closes on Escape, and when one goes on beside it.
(() => {
  const open = () => document.querySelector(".broad details[open]");
  document.addEventListener("keydown", (event) => {
    const menu = open();
    if (event.key !== "Escape" || menu === null) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  for (const kind of ["click", "focusin"]) {
    document.addEventListener(kind, (event) => {
      const menu = open();
      if (menu !== null && !menu.contains(event.target)) menu.open = false;
    });
  }
})();

// A part of a page that came anew is told to who does not see it (WCAG 2.2, 4.1.3), and the keyboard stays where it was.
(() => {
  const told = document.getElementById("told");
  document.addEventListener("htmx:after:swap", () => {
    const main = document.getElementById("content");
    const said = main.querySelector(".tally, [role=status], h1");
    told.textContent = "";
    if (said !== null) setTimeout(() => { told.textContent = `${document.title}: ${said.textContent.trim()}`; }, 100);
    if (document.activeElement === document.body || document.activeElement === null) {
      const list = main.querySelector(".listing, .found") ?? main;
      list.tabIndex = -1;
      list.focus({ preventScroll: true });
    }
  });
})();

// Charts: drawn from the table that stands there, which moves behind a button (uPlot).
(() => {
  let loading;
  const load = (figure) => loading ??= new Promise((done, failed) => {
    const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", href: figure.dataset.sheet });
    const script = Object.assign(document.createElement("script"), { src: figure.dataset.script, onload: done, onerror: failed });
    document.head.append(sheet, script);
  });
  const read = (table) => {
    const heads = [...table.tHead.rows[0].cells];
    const rows = [...table.tBodies[0].rows];
    const values = heads.map((head, at) => rows.map((row) => {
      const value = row.cells[at].dataset.value;
      return value === "" || value === undefined ? null : Number(value) / (head.dataset.kind === "amount" ? 100 : 1);
    }));
    const words = values[0].every((value) => value === null);
    if (words) values[0] = rows.map((_, at) => at);
    return { heads, values, words: words ? rows.map((row) => row.cells[0].textContent.trim()) : null };
  };
  const draw = (figure) => {
    if (!figure.isConnected) return;
    const { heads, values, words } = read(figure.querySelector(".scroll table"));
    const plot = figure.querySelector(".plot");
    const look = getComputedStyle(document.documentElement);
    const colour = (name) => look.getPropertyValue(name).trim();
    const colours = ["--link", "--care", "--good", "--bad"].map(colour);
    const language = figure.dataset.language === "en" ? "en-GB" : "nl-NL";
    const figures = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });
    const euros = new Intl.NumberFormat(language, { style: "currency", currency: "EUR" });
    const written = (head) => head.dataset.kind === "amount" ? euros : figures;
    const time = ["moment", "day"].includes(heads[0].dataset.kind);
    // As the table writes them: by the clock of the Netherlands, wherever this browser is.
    const moments = (parts) => new Intl.DateTimeFormat(language, { timeZone: "Europe/Amsterdam", ...parts });
    const day = moments({ day: "numeric", month: "short" });
    const full = moments(heads[0].dataset.kind === "day" ? { dateStyle: "long" } : { dateStyle: "medium", timeStyle: "short" });
    const clock = moments({ hour: "2-digit", minute: "2-digit" });
    const spread = values[0].at(-1) - values[0][0];
    const below = (value) => {
      if (words !== null) return words[value] ?? "";
      return time ? (spread < 172800 ? clock : day).format(value * 1000) : figures.format(value);
    };
    // Of what is counted there are no halves: the least step between two lines is one.
    const whole = heads.slice(1).every((head) => head.dataset.kind !== "amount") && values.slice(1).flat().every((one) => one === null || Number.isInteger(one));
    const steps = [...Array(12).keys()].flatMap((power) => [1, 2, 5].map((many) => many * 10 ** power));
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
    const bars = figure.dataset.chart === "bars";
    const days = [1, 2, 7, 14, 30, 91, 365].map((many) => many * 86400);
    plot.replaceChildren();
    new uPlot({
      width: plot.clientWidth,
      height: Math.max(200, Math.min(320, plot.clientWidth / 2)),
      scales: { x: { time: false, range: bars ? (_, low, high) => [low - 0.6, high + 0.6] : undefined }, y: { range: (_, low, high) => [Math.min(0, low), high > 0 ? high * 1.1 : 1] } },
      axes: [
        { ...axis, incrs: heads[0].dataset.kind === "day" ? days : heads[0].dataset.kind === "moment" ? [60, 300, 900, 1800, 3600, 7200, 10800, 21600, 43200, ...days] : words !== null ? [1, 2, 5, 10, 50] : undefined, values: (_, at) => at.map((one) => (words !== null && !Number.isInteger(one) ? "" : below(one))) },
        { ...axis, size: 80, incrs: whole ? steps : undefined, values: (_, at) => at.map((one) => written(heads[1]).format(one)) },
      ],
      series: [
        { label: heads[0].textContent.trim(), value: (_, one) => one === null ? "–" : words !== null ? words[one] : time ? full.format(one * 1000) : figures.format(one) },
        ...heads.slice(1).map((head, at) => ({
          label: head.textContent.trim(),
          stroke: colours[at % colours.length],
          fill: bars ? colours[at % colours.length] : undefined,
          width: 2,
          dash: [[], [8, 4], [2, 4], [12, 4, 2, 4]][at % 4],
          paths: bars ? uPlot.paths.bars({ size: [0.7, 60] }) : undefined,
          points: { show: values[0].length < 40 && !bars, fill: colour("--paper") },
          value: (_, one) => one === null ? "–" : written(head).format(one),
        })),
      ],
    }, values, plot);
  };
  const begin = async () => {
    for (const figure of document.querySelectorAll("[data-chart]:not(.drawn)")) {
      const table = figure.querySelector(".scroll");
      if (table.querySelectorAll("tbody tr").length < 2) continue;
      await load(figure);
      figure.classList.add("drawn");
      const plot = Object.assign(document.createElement("div"), { className: "plot", role: "img", ariaLabel: figure.querySelector("h2").textContent });
      const behind = document.createElement("details");
      behind.append(Object.assign(document.createElement("summary"), { textContent: figure.dataset.figures }));
      table.before(plot, behind);
      behind.append(table);
      draw(figure);
      let width = plot.clientWidth;
      new ResizeObserver(() => { if (plot.clientWidth !== width) { width = plot.clientWidth; draw(figure); } }).observe(plot);
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(figure));
    }
  };
  // On paper the figures stand below their picture.
  window.addEventListener("beforeprint", () => {
    for (const behind of document.querySelectorAll("[data-chart] details")) behind.open = true;
  });
  document.addEventListener("htmx:after:swap", begin);
  begin();
})();
