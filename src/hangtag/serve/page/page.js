// One request per picture, a few at a time, in the order they came; every text from outside is set as text.
const AT_ONCE = 3;
const DOUBTFUL = 0.7; // below this the bar changes colour, and the words say so
const MANY = 500; // thumbnails of more pictures than this would fill a phone's memory

const element = (id) => document.getElementById(id);
const waiting = [];
let rows = []; // {name, card, answer: {label, confidence, top} or {error}}
let running = 0;

fetch("/model").then((response) => response.json()).then((model) => {
  const accuracy = model.test_accuracy ? ` · ${(100 * model.test_accuracy).toFixed(1)}% right on its test pictures` : "";
  element("about").textContent = `${model.class_names.length} kinds: ${model.class_names.join(", ")}${accuracy}`;
}).catch(() => { element("about").textContent = "the server does not answer"; });

function take(files) {
  for (const file of files) {
    const card = element("card").content.firstElementChild.cloneNode(true);
    card.classList.add("waiting");
    card.querySelector(".name").textContent = file.name;
    card.querySelector(".name").title = file.name;
    card.querySelector(".label").textContent = "waiting …";
    const image = card.querySelector("img");
    if (rows.length < MANY) {
      image.onload = () => { image.classList.toggle("small", image.naturalWidth < 96); };
      image.onerror = () => { image.classList.add("none"); }; // a file no browser can show
      image.src = URL.createObjectURL(file);
    }
    const row = { name: file.name, file, card, answer: null };
    rows.push(row);
    waiting.push(row);
    element("cards").append(card);
  }
  while (running < AT_ONCE && waiting.length) work();
  count();
}

async function work() {
  running += 1;
  while (waiting.length) {
    const row = waiting.shift();
    row.answer = await recognise(row.file);
    row.file = null;
    show(row);
    count();
  }
  running -= 1;
}

async function recognise(file) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const response = await fetch("/recognise", { method: "POST", body: file });
      if (response.status === 503 && attempt < 20) {
        await new Promise((done) => setTimeout(done, 1000 * Number(response.headers.get("retry-after") || 1)));
        continue;
      }
      const answer = await response.json();
      return answer.error ? { error: answer.error.message } : answer;
    } catch {
      return { error: "the server does not answer: is it still running?" };
    }
  }
}

function show({ card, answer }) {
  card.classList.remove("waiting");
  const label = card.querySelector(".label");
  if (answer.error) {
    card.classList.add("failed");
    label.textContent = answer.error;
    return;
  }
  const doubtful = answer.confidence < DOUBTFUL;
  card.classList.toggle("doubtful", doubtful);
  label.textContent = doubtful ? `${answer.label}?` : answer.label;
  for (const { label: name, confidence } of answer.top) {
    const bar = document.createElement("li");
    const [word, meter, share] = ["span", "progress", "span"].map((tag) => document.createElement(tag));
    word.textContent = name;
    meter.value = confidence;
    meter.setAttribute("aria-label", name);
    share.textContent = `${(100 * confidence).toFixed(1)}%`;
    bar.append(word, meter, share);
    card.querySelector(".bars").append(bar);
  }
}

function count() {
  const done = rows.filter((row) => row.answer);
  const failed = done.filter((row) => row.answer.error).length;
  const parts = [`${done.length - failed} of ${rows.length} recognised`];
  if (failed) parts.push(`${failed} could not be`);
  element("count").textContent = parts.join(" · ");
  element("status").hidden = !rows.length;
  element("save").disabled = !done.length;
}

function cell(text) { // RFC 4180; no cell is a formula to a spreadsheet
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

element("save").onclick = () => {
  const lines = [["picture", "label", "confidence", "error"]];
  for (const { name, answer } of rows) {
    if (answer) lines.push([name, answer.label ?? "", answer.error ? "" : answer.confidence.toFixed(6), answer.error ?? ""]);
  }
  const link = document.createElement("a");
  const text = lines.map((line) => line.map(cell).join(",") + "\r\n").join("");
  link.href = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv" })); // the mark tells Excel it is UTF-8
  link.download = "labels.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
};

element("clear").onclick = () => {
  waiting.length = 0;
  for (const { card } of rows) URL.revokeObjectURL(card.querySelector("img").src);
  rows = [];
  element("cards").replaceChildren();
  count();
};

for (const id of ["choose", "camera"]) {
  element(id).onchange = (event) => { take([...event.target.files]); event.target.value = ""; };
}
addEventListener("paste", (event) => take([...event.clipboardData.files]));
for (const kind of ["dragenter", "dragover"]) {
  addEventListener(kind, (event) => { event.preventDefault(); element("drop").classList.add("over"); });
}
for (const kind of ["dragleave", "drop"]) {
  addEventListener(kind, (event) => { event.preventDefault(); element("drop").classList.remove("over"); });
}
addEventListener("drop", (event) => take([...event.dataTransfer.files]));
