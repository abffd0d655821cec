// Helps where script runs, and does nothing that the pages cannot do without: names are completed while somebody writes SQL
// (ARIA 1.2, a textbox with a listbox), and progress comes in place of a page that loads again.
(() => {
  const progress = document.querySelector("[data-progress]");
  if (progress !== null) {
    // The buttons lie outside of what is put in its place, so that none goes away under a finger or the focus.
    const buttons = document.querySelectorAll(".leaving button[name=owner]");
    const show = () => {
      const awaited = [...progress.querySelectorAll("[data-awaited]")].map((one) => one.dataset.awaited);
      buttons.forEach((one) => { one.hidden = one !== document.activeElement && !awaited.includes(one.value); });
    };
    const look = async () => {
      const answer = await fetch(progress.dataset.progress).catch(() => null);
      if (answer === null) { setTimeout(look, 3000); return; }
      if (answer.status !== 200) { location.reload(); return; }
      const told = await answer.text();
      if (told !== progress.innerHTML) progress.innerHTML = told;
      show();
      setTimeout(look, 1000);
    };
    setTimeout(look, 1000);
  }

  const editor = document.querySelector("textarea[data-names]");
  if (editor === null) return;
  const list = document.getElementById("offered"), status = document.getElementById("offered-status");
  const hint = document.querySelector(".script");
  let datasets = [], found = [], at = -1;
  const word = () => /[\w.]*$/.exec(editor.value.slice(0, editor.selectionStart))[0];

  const close = () => {
    list.hidden = true; at = -1; found = [];
    editor.removeAttribute("aria-activedescendant");
  };
  const choose = (number) => {
    at = (number + found.length) % found.length;
    [...list.children].forEach((one, place) => one.setAttribute("aria-selected", String(place === at)));
    editor.setAttribute("aria-activedescendant", `offered-${at}`);
    list.children[at].scrollIntoView({ block: "nearest" });
  };
  const take = (one) => {
    const begin = editor.selectionStart - one.part.length;
    editor.setRangeText(one.name, begin, editor.selectionStart, "end");
    close();
    editor.focus();
  };
  // Datasets by their name, and columns after the short name that the question gives to a dataset.
  const candidates = (typed) => {
    const dot = typed.lastIndexOf("."), part = typed.slice(dot + 1).toLowerCase(), before = typed.slice(0, dot).toLowerCase();
    const short = {};
    for (const one of datasets) {
      const names = new RegExp(`\\b${one.name.replace(".", "\\.")}\\b(?:\\s+(?:as\\s+)?(\\w+))?`, "gi");
      for (const use of editor.value.matchAll(names)) {
        short[one.name.split(".")[1]] = one;
        if (use[1]) short[use[1].toLowerCase()] = one;
      }
    }
    const columns = (one) => one.columns.map((each) => ({ name: each.name, told: each.title || each.type, part }));
    if (dot >= 0 && short[before]) return columns(short[before]).filter((one) => one.name.startsWith(part));
    const whole = typed.toLowerCase();
    const sets = datasets.map((one) => ({ name: one.name, told: one.title, part: typed }));
    const used = [...new Set(Object.values(short))].flatMap(columns);
    return [...sets.filter((one) => one.name.startsWith(whole) || one.name.split(".")[1].startsWith(whole)),
      ...(dot < 0 ? used.filter((one) => one.name.startsWith(part)) : [])];
  };
  const open = (asked) => {
    const typed = word();
    if (!asked && typed.length < 2) { close(); return; }
    found = candidates(typed).filter((one) => one.name !== typed).slice(0, 20);
    list.replaceChildren(...found.map((one, place) => {
      const item = document.createElement("li"), told = document.createElement("small");
      item.id = `offered-${place}`;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", "false");
      item.textContent = one.name;
      told.textContent = one.told;
      item.append(told);
      item.addEventListener("mousedown", (event) => { event.preventDefault(); take(one); });
      return item;
    }));
    if (found.length === 0) { close(); status.textContent = ""; return; }
    list.hidden = false;
    at = -1;
    editor.removeAttribute("aria-activedescendant");
    status.textContent = `${found.length} ${editor.dataset.found}`;
  };

  editor.addEventListener("input", () => open(false));
  editor.addEventListener("blur", close);
  editor.addEventListener("keydown", (event) => {
    if (event.ctrlKey && event.key === " ") { event.preventDefault(); open(true); return; }
    if (list.hidden) return;
    if (event.key === "ArrowDown") { event.preventDefault(); choose(at + 1); }
    else if (event.key === "ArrowUp") { event.preventDefault(); choose(at - 1); }
    else if (event.key === "Escape") { event.preventDefault(); close(); }
    else if (event.key === "Enter" && at >= 0) { event.preventDefault(); take(found[at]); }
  });
  fetch(editor.dataset.names).then((answer) => (answer.ok ? answer.json() : { datasets: [] })).then((told) => {
    datasets = told.datasets;
    if (datasets.length === 0) return;
    hint.hidden = false;
    editor.setAttribute("aria-autocomplete", "list");
    editor.setAttribute("aria-haspopup", "listbox");
    editor.setAttribute("aria-controls", "offered");
  }).catch(() => {});
})();
