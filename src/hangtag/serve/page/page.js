// One request per picture, a few at a time, in the order they came; every text from outside is set as text.
const AT_ONCE = 3;
const ATTEMPTS = 20; // a second apart: a server that is busy or a network that is away for a moment costs nothing
const MAX_BYTES = 20_000_000; // the most the server accepts: more is not sent at all
const WORDS = { accept: "Accepted.", unsure: "Unsure: please look.", none_of_these: "None of these kinds: please look." };
const MANY = 500; // thumbnails of more pictures than this would fill a phone's memory

const element = (id) => document.getElementById(id);
let rows = []; // {name, file, card, answer: {label, confidence, top} or {error}}
let waiting = [];
let running = 0;
let patience = ATTEMPTS; // 1 once the server has been given up, until it answers again
let cleared = new AbortController(); // what was asked before "Clear" is of no more interest

// How often it was right, and on what: who drops photos must not read a share that was measured on something else.
function measured({ test_accuracy, data, members }) {
  const right = (one) => `${(100 * one.test_accuracy).toFixed(1)}% right on the test images of ${one.data}`;
  if (!members) return test_accuracy ? ` · ${right({ test_accuracy, data })}, which says little about other photos` : "";
  const kinds = members.map((one) => `${one.colour ? "photos" : "small grey images"}: ${one.test_accuracy ? right(one) : "not evaluated on test images"}`);
  return ` · ${kinds.join(" · ")}. Other photos may do worse.`;
}

fetch("model").then((response) => response.json()).then((model) => {
  const accuracy = measured(model);
  const standing = model.unfinished ? `Unfinished: the weights of epoch ${model.epoch} of ${model.epochs}. ` : "";
  if (model.unfinished) document.title = `Hangtag (unfinished model)`;
  element("about").textContent = `${standing}${model.class_names.length} kinds: ${model.class_names.join(", ")}${accuracy}`;
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
  while (running < AT_ONCE && waiting.length) work(cleared.signal);
  count();
}

async function work(signal) {
  running += 1;
  for (let row; !signal.aborted && (row = waiting.shift()); ) {
    const answer = await recognise(row.file, signal);
    if (signal.aborted) return; // "Clear" has counted us out
    row.answer = answer;
    row.file = null;
    show(row);
    count();
  }
  if (!signal.aborted) running -= 1;
}

async function recognise(file, signal) {
  if (file.size > MAX_BYTES) return { error: "larger than 20 MB, the most accepted" };
  let content;
  try {
    content = await file.arrayBuffer();
  } catch {
    return { error: "this file cannot be read: is it a folder, or gone?" };
  }
  for (let attempt = 1; ; attempt += 1) {
    let pause = 1;
    try {
      const response = await fetch("recognise", { method: "POST", body: content, signal });
      patience = ATTEMPTS;
      if (response.status !== 503 || attempt === ATTEMPTS) {
        const answer = await response.json();
        return answer.error ? { error: answer.error.message } : answer;
      }
      pause = Number(response.headers.get("retry-after")) || 1;
    } catch {
      if (signal.aborted || attempt >= patience) {
        patience = 1;
        return { error: "the server does not answer: is it still running?" };
      }
    }
    await new Promise((done) => setTimeout(done, 1000 * pause));
    if (signal.aborted) return null;
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
  const doubtful = answer.status !== "accept"; // the bar changes colour, and the words say so
  card.classList.toggle("doubtful", doubtful);
  const strange = answer.status === "none_of_these";
  card.classList.toggle("strange", strange);
  label.textContent = strange ? "none of these" : doubtful ? `${answer.label}?` : answer.label;
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
  const why = document.createElement("p");
  why.className = "why";
  why.textContent = `${WORDS[answer.status]} ${answer.why}`;
  card.querySelector(".bars").after(why);
}

function count() {
  const done = rows.filter((row) => row.answer);
  const failed = done.filter((row) => row.answer.error).length;
  const parts = [`${done.length - failed} of ${rows.length} recognised`];
  if (failed) parts.push(`${failed} could not be`);
  element("count").textContent = rows.length ? parts.join(" · ") : "";
  // Read out loud when it is over and at the start, not at every picture.
  element("said").textContent = rows.length && (done.length === rows.length || !done.length) ? parts.join(", ") : "";
  element("status").hidden = !rows.length;
  element("save").disabled = !done.length;
}

function cell(text) { // RFC 4180; no cell is a formula to a spreadsheet, whichever character parts its cells
  const harmless = text.replaceAll("\0", "").replace(/^[=+\-@\t\r\n]/, "'$&");
  return `"${harmless.replaceAll('"', '""')}"`;
}

element("save").onclick = () => {
  const lines = [["picture", "label", "confidence", "error", "status", "why"]];
  for (const { name, answer } of rows) {
    if (answer) lines.push([name, answer.label ?? "", answer.error ? "" : answer.confidence.toFixed(6), answer.error ?? "", answer.status ?? "", answer.why ?? ""]);
  }
  const link = document.createElement("a");
  const text = lines.map((line) => line.map(cell).join(",") + "\r\n").join("");
  link.href = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv" })); // the mark tells Excel it is UTF-8
  link.download = "labels.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
};

element("clear").onclick = () => {
  cleared.abort();
  cleared = new AbortController();
  running = 0;
  for (const { card } of rows) URL.revokeObjectURL(card.querySelector("img").src);
  rows = [];
  waiting = [];
  element("cards").replaceChildren();
  count();
  element("choose").focus();
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
