"use strict";
(() => {
  const key = `hangtag-audit-${document.body.dataset.digest}`;
  const boxes = [...document.querySelectorAll("input[data-image]")];
  const count = document.getElementById("count");
  const buttons = [document.getElementById("save"), document.getElementById("clear")];
  const columns = JSON.parse(document.body.dataset.columns);

  const stored = () => {
    try { return new Set(JSON.parse(localStorage.getItem(key)) || []); } catch { return new Set(); }
  };
  const store = () => {
    try { localStorage.setItem(key, JSON.stringify([...ticked])); } catch { /* the list lives as long as the page */ }
  };
  const ticked = stored();

  const show = () => {
    for (const box of boxes) box.checked = ticked.has(box.dataset.image);
    const n = new Set(boxes.filter(box => box.checked).map(box => box.dataset.image)).size;
    count.textContent = n === 0 ? "Nothing on the list yet" : n === 1 ? "1 image on the list" : `${n} images on the list`;
    for (const button of buttons) button.disabled = n === 0;
  };

  // RFC 4180; what a spreadsheet would take for a formula, or a terminal for a command, is escaped in the rows already.
  const cell = text => /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  const list = () => {
    const rows = new Map();  // an image of several pairs is one row, with the first one's reason
    for (const box of boxes) {
      if (box.checked && !rows.has(box.dataset.image)) rows.set(box.dataset.image, JSON.parse(box.dataset.row));
    }
    return [columns, ...rows.values()].map(row => `${row.map(cell).join(",")}\r\n`).join("");
  };

  document.addEventListener("change", event => {
    const image = event.target.dataset.image;
    if (image === undefined) return;
    if (event.target.checked) ticked.add(image); else ticked.delete(image);
    show();
    store();
  });
  buttons[0].addEventListener("click", () => {
    const address = URL.createObjectURL(new Blob([list()], {type: "text/csv;charset=utf-8"}));
    const link = Object.assign(document.createElement("a"), {href: address, download: document.body.dataset.file});
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  });
  buttons[1].addEventListener("click", () => { ticked.clear(); show(); store(); });
  show();
})();
