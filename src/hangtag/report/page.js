"use strict";
// Galleries, filters, the viewer and tooltips. Text of unknown origin only ever becomes textContent.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { classes, splits, pictures, lists, names } = data;
  const [SPLIT, INDEX, LABEL, SAID, TRUE, HEAT, SOURCE] = [0, 1, 2, 3, 4, 5, 6]; // a record, see report/album.py
  const PAGE = 40;
  const laidOut = document.getElementById("data").dataset;
  const [columns, rows] = [Number(laidOut.columns), Number(laidOut.rows)];
  const [hotColumns, hotRows] = [Number(laidOut.heatColumns), Number(laidOut.heatRows)];

  function make(tag, className, text, ...children) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text) element.textContent = text;
    element.append(...children);
    return element;
  }
  const percent = (thousandths) => `${(thousandths / 10).toFixed(1)}%`;
  const said = (id, model = 0) => pictures[id][SAID][model][0];
  const sure = (id, model = 0) => pictures[id][SAID][model][1];
  const named = (id) => `${splits[pictures[id][SPLIT]]} picture ${pictures[id][INDEX].toLocaleString("en")}`;

  function place(element, number, columns, rows) {
    const share = (n, all) => (all > 1 ? (100 * n) / (all - 1) : 0);
    element.style.backgroundPosition = `${share(number % columns, columns)}% ${share(Math.floor(number / columns), rows)}%`;
    return element;
  }
  function look(id, withHeat) {
    const frame = make("span", withHeat ? "frame dim" : "frame", "", place(make("span", "pic"), id, columns, rows));
    if (withHeat) frame.append(place(make("span", "heat"), pictures[id][HEAT], hotColumns, hotRows));
    return frame;
  }
  function probabilities(id, model = 0) {
    const picture = pictures[id];
    const list = make("span", "probs");
    const flat = picture[SAID][model];
    const pairs = [];
    for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i], flat[i + 1]]);
    if (!pairs.some(([k]) => k === picture[LABEL])) pairs.push([picture[LABEL], picture[TRUE][model]]);
    for (const [k, share] of pairs) {
      const fill = make("span", "fill");
      fill.style.width = `${share / 10}%`;
      list.append(make("span", k === picture[LABEL] ? "prob true" : "prob", "",
        make("span", "who", classes[k]), make("span", "is", k === picture[LABEL] ? "✓ true" : ""), make("span", "", percent(share)), make("span", "track", "", fill)));
    }
    return list;
  }

  // The viewer: one picture, large, with everything known of it; arrow keys go through the gallery it came from.
  const viewer = document.getElementById("viewer");
  let shown = [], at = 0, opener = null;
  function labelled(element, name) {
    return make("span", "", "", element, make("span", "look-name", name));
  }
  function view(ids, position, from) {
    shown = ids; at = position;
    if (from) opener = from;
    const id = shown[at], picture = pictures[id];
    const asked = picture[SAID][0].length > 0;
    const right = asked && said(id) === picture[LABEL];
    let title = classes[picture[LABEL]];
    if (names.length) title += `: A says ${classes[said(id, 0)]}, B ${classes[said(id, 1)]}`;
    else if (asked) title = right ? `${title}, rightly` : `${title} taken for ${classes[said(id)]}`;
    document.getElementById("viewer-title").textContent = title;
    const body = viewer.querySelector(".viewer-body");
    const looks = make("div", picture[HEAT] >= 0 ? "looks two-up" : "looks one", "", labelled(look(id, false), "what the model saw"));
    if (picture[HEAT] >= 0) looks.append(labelled(look(id, true), "what sways it between the two"));
    body.replaceChildren(looks);
    picture[SAID].forEach((flat, model) => {
      if (!flat.length) return;
      if (names.length) body.append(make("h4", "", `${"AB"[model]} · ${names[model]}`));
      body.append(probabilities(id, model));
    });
    body.append(make("p", "source", `${named(id)}${picture[SOURCE] ? ` · ${picture[SOURCE]}` : ""}`));
    document.getElementById("viewer-place").textContent = `${(at + 1).toLocaleString("en")} of ${shown.length.toLocaleString("en")}`;
    document.getElementById("viewer-previous").disabled = at === 0;
    document.getElementById("viewer-next").disabled = at === shown.length - 1;
    if (!viewer.open) viewer.showModal();
  }
  const step = (by) => { if (shown[at + by] !== undefined) view(shown, at + by); };
  document.getElementById("viewer-previous").addEventListener("click", () => step(-1));
  document.getElementById("viewer-next").addEventListener("click", () => step(1));
  document.getElementById("viewer-close").addEventListener("click", () => viewer.close());
  viewer.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  viewer.addEventListener("click", (event) => { if (event.target === viewer) viewer.close(); });
  viewer.addEventListener("close", () => opener?.isConnected && opener.focus());

  // A gallery shows a page of its entries at a time. An entry is a list of picture numbers: one, or two that are a pair.
  function gallery(root, entries, tile) {
    const all = entries.flat();  // a picture may be in several entries
    let place = 0;
    root.replaceChildren();
    let until = 0;
    const more = make("button", "more", "Show more");
    more.type = "button";
    function page() {
      more.remove();
      const first = until;
      for (const ids of entries.slice(until, until + PAGE)) {
        const button = make("button", "tile");
        button.type = "button";
        button.dataset.pictures = ids.join(" ");
        tile(button, ids);
        const at = place;
        place += ids.length;
        button.addEventListener("click", () => view(all, at, button));
        root.append(button);
      }
      until += PAGE;
      if (until < entries.length) {
        more.textContent = `Show more (${(entries.length - until).toLocaleString("en")} left)`;
        root.append(more);
      }
      return root.children[first];
    }
    more.addEventListener("click", () => page()?.focus());
    page();
  }
  const singles = (ids) => ids.map((id) => [id]);
  function describe(button, id) {
    const picture = pictures[id];
    const words = picture[SAID][0].length ? `${classes[picture[LABEL]]}, taken for ${classes[said(id)]} with ${percent(sure(id))}` : classes[picture[LABEL]];
    button.setAttribute("aria-label", `${words}; ${named(id)}`);
  }
  function full(button, [id]) {
    const heat = pictures[id][HEAT] >= 0;
    const looks = make("span", heat ? "looks two-up" : "looks one", "", look(id, false));
    if (heat) looks.append(look(id, true));
    button.append(looks);
    pictures[id][SAID].forEach((_, model) => {
      if (names.length) button.append(make("span", "tile-said", "", make("span", "ab"[model], "AB"[model])));
      button.append(probabilities(id, model));
    });
    describe(button, id);
  }
  function small(button, [id], words) {
    button.append(look(id, false), make("span", "tile-said", words ?? percent(sure(id))));
    describe(button, id);
  }

  // Confusion cells
  const wrong = lists.mistakes ?? [], right = lists.right ?? [];
  const panel = document.getElementById("cell-panel");
  function openCell(button) {
    const [t, s] = [Number(button.dataset.true), Number(button.dataset.said)];
    const ids = (t === s ? right : wrong).filter((id) => pictures[id][LABEL] === t && said(id) === s);
    const what = t === s ? `${classes[t]}, rightly: the ${ids.length} least certain` : `${classes[t]} taken for ${classes[s]}: ${ids.length}`;
    panel.querySelector("h3").textContent = what;
    panel.hidden = false;
    gallery(panel.querySelector(".gallery"), singles(ids), small);
    for (const other of document.querySelectorAll(".cell[aria-expanded]")) other.removeAttribute("aria-expanded");
    button.setAttribute("aria-expanded", "true");
    panel.querySelector("h3").focus({ preventScroll: true });
    panel.scrollIntoView({ block: "nearest" });
    panel.opener = button;
  }
  for (const button of document.querySelectorAll(".cell")) button.addEventListener("click", () => openCell(button));
  panel?.querySelector(".icon").addEventListener("click", () => {
    panel.hidden = true;
    panel.opener?.removeAttribute("aria-expanded");
    panel.opener?.focus();
  });

  // Filters: [true class, said by A, said by B], and the order.
  function filtered(id, source) {
    const form = document.getElementById(`filters-${id}`), root = document.getElementById(`gallery-${id}`);
    if (!form || !root) return () => {};
    const update = () => {
      const wanted = [...form.querySelectorAll("select:not([name=order])")].map((select) => select.value);
      let ids = source().filter((id) => wanted.every((value, i) => value === "" || Number(value) === (i ? said(id, i - 1) : pictures[id][LABEL])));
      if (form.elements.order.value === "low") ids = ids.toReversed();
      gallery(root, singles(ids), full);
      form.querySelector("output").textContent = ids.length === 1 ? "1 picture" : `${ids.length.toLocaleString("en")} pictures`;
    };
    form.addEventListener("change", update);
    form.addEventListener("submit", (event) => event.preventDefault());
    update();
    return update;
  }
  filtered("mistakes", () => wrong);
  let kind = "only_first";
  const redraw = filtered("differences", () => lists[kind] ?? []);
  for (const tab of document.querySelectorAll(".tabs button")) {
    tab.addEventListener("click", () => {
      kind = tab.dataset.list;
      for (const other of document.querySelectorAll(".tabs button")) other.setAttribute("aria-pressed", String(other === tab));
      redraw();
    });
  }

  // Data quality, and examples of each class
  function fill(id, entries, tile) {
    const root = document.getElementById(`gallery-${id}`);
    if (root && entries) gallery(root, entries, tile);
  }
  const suggestions = new Map((lists.suspects ?? []).map(([id, k, chance]) => [id, [k, chance]]));
  fill("suspects", (lists.suspects ?? []).map(([id]) => [id]), (button, [id]) => {
    const [k, chance] = suggestions.get(id);
    const words = make("span", "tile-said", "labelled ");
    words.append(make("b", "", classes[pictures[id][LABEL]]), ", rather ", make("b", "", classes[k]));
    button.append(make("span", "looks one", "", look(id, false)), words,
      make("span", "tile-said quiet", `${named(id)} · chance that the label is right ${(100 * chance).toFixed(2)}%`));
    describe(button, id);
  });
  for (const id of ["across", "within"]) {
    const facts = new Map((lists[id] ?? []).map(([a, b, distance, relation]) => [`${a} ${b}`, [distance, relation]]));
    fill(id, (lists[id] ?? []).map(([a, b]) => [a, b]), (button, [a, b]) => {
      const [distance, relation] = facts.get(`${a} ${b}`);
      const [one, two] = [classes[pictures[a][LABEL]], classes[pictures[b][LABEL]]];
      button.append(make("span", "looks two-up", "", look(a, false), look(b, false)),
        make("span", "tile-said", "", make("b", "", one === two ? one : `${one} / ${two}`), ` · ${relation}`),
        make("span", "tile-said quiet", `${named(a)}, ${named(b)} · distance ${distance.toFixed(3)}`));
      describe(button, a);
    });
  }
  const reasons = new Map(lists.odd ?? []);
  fill("odd", (lists.odd ?? []).map(([id]) => [id]), (button, [id]) => small(button, [id], `${reasons.get(id)}, ${classes[pictures[id][LABEL]]}`));
  for (const strip of document.querySelectorAll(".strip")) {
    const ids = lists.examples?.[Number(strip.dataset.class)] ?? [];
    gallery(strip, singles(ids), small);
  }

  // Tooltips: by pointer, by keyboard, by tap
  const tip = document.getElementById("tip");
  let tipped = null;
  function showTip(element, x, y) {
    tip.textContent = element.dataset.tip;
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = `${Math.min(Math.max(8, x - box.width / 2), innerWidth - box.width - 8)}px`;
    tip.style.top = `${y - box.height - 14 < 4 ? y + 18 : y - box.height - 14}px`;
    tipped?.classList.remove("on");
    tipped = element;
    element.classList.add("on");
  }
  function hideTip() {
    tip.hidden = true;
    tipped?.classList.remove("on");
    tipped = null;
  }
  document.addEventListener("pointermove", (event) => {
    const element = event.target.closest?.("[data-tip]");
    if (element) showTip(element, event.clientX, event.clientY); else if (tipped) hideTip();
  });
  document.addEventListener("pointerdown", (event) => {
    const element = event.target.closest?.("[data-tip]");
    if (element) showTip(element, event.clientX, event.clientY); else hideTip();
  });
  document.addEventListener("focusin", (event) => {
    const element = event.target.closest?.("[data-tip]");
    if (!element || !element.matches(":focus-visible")) return;
    const box = element.getBoundingClientRect();
    showTip(element, box.left + box.width / 2, box.top);
  });
  document.addEventListener("focusout", hideTip);
  document.addEventListener("scroll", hideTip, { passive: true, capture: true });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });

  // Where the reader is
  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links.values()) link.removeAttribute("aria-current");
      const link = links.get(entry.target.id);
      link?.setAttribute("aria-current", "true");
      const bar = link?.closest("nav");
      if (bar && bar.scrollWidth > bar.clientWidth) bar.scrollLeft = link.offsetLeft - bar.offsetLeft - bar.clientWidth / 3;
    }
  }, { rootMargin: "-25% 0px -70% 0px" });
  for (const id of links.keys()) { const section = document.getElementById(id); if (section) seen.observe(section); }

  document.getElementById("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")].filter((details) => !details.querySelector("pre, tbody"));
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => { for (const details of opened) details.open = false; });
})();
