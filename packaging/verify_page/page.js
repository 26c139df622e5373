// What the page does: starts the verifier's worker, hands it a bundle and questions, and shows its answers.
"use strict";

const PARTS = ["pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"];
const PLACES = { explain: "explained", sample: "drawn", without: "changed" };
const FIRST_FIELD = { check: "head", explain: "outage", sample: "n", without: "exclusion" };

const $ = (id) => document.getElementById(id);
const EMPTY = { busy: "", done: 0, of: 0, broken: "", first: null, answers: {}, faults: {} };
const state = { ...EMPTY, worker: null, started: null, current: null, since: 0, file: null };

async function unpacked(id) {
  const text = atob($(id).textContent.trim());
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

// A page from a disk has no origin, so that Chromium takes a module of its own from such an address alone.
function dataAddress(script) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(new Blob([script], { type: "text/javascript" }));
  });
}

// A worker with Python in it. After a stop, and after one that broke, there is a new one.
async function start() {
  const mine = (state.current = {});
  state.started = null;
  const worker = (state.worker = new Worker(await dataAddress(await unpacked("worker")), { type: "module" }));
  const told = new Promise((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(event.message || "its worker did not start"));
    worker.onmessage = ({ data }) => {
      if (data.kind === "started") resolve(data);
      else if (!state.started) reject(new Error(data.text));
      else if (mine === state.current) heard(data);
    };
  });
  const parts = Object.fromEntries(await Promise.all(PARTS.map(async (name) => [name, await unpacked(name)])));
  const program = await unpacked("program");
  $("save").href ||= URL.createObjectURL(new Blob([program], { type: "application/zip" }));
  worker.postMessage({ kind: "start", parts, program }, [...Object.values(parts), program]);
  const started = await told;
  worker.onerror = (event) => mine === state.current && broke(event.message || "its worker ended");
  if (mine === state.current) state.started = started;
  render();
}

let starting;

function restart() {
  state.worker?.terminate();
  starting = start();
  starting.catch((error) => broke(error.message));
}

function broke(text) {
  heard({ kind: "broken", text });
}

async function take(file) {
  if (!file || state.busy) return;
  if (state.broken && !state.started) restart();
  Object.assign(state, EMPTY, { answers: {}, faults: {}, file });
  busy("check");
  await starting.catch(() => {});
  if (state.file !== file || !state.started) return;
  try {
    const content = await file.arrayBuffer();
    state.worker.postMessage({ kind: "open", name: file.name, content }, [content]);
    state.worker.postMessage({ kind: "ask", asked: { does: "check", head: "" } });
  } catch (error) {
    broke(error.message);
  }
}

function busy(what) {
  Object.assign(state, { busy: what, done: 0, of: 0, since: Date.now() });
  render();
}

function heard(data) {
  if (data.kind === "step") {
    Object.assign(state, { done: data.done, of: data.of });
    return renderBusy();
  }
  state.busy = "";
  if (data.kind === "broken") {
    // Whatever Python could not tell of itself ended it: memory that ran out, for one.
    Object.assign(state, { broken: data.text, started: null });
    return render();
  }
  keep(data.asked, data.answer);
  render();
  focusOf(data.asked, data.answer)?.focus();
}

function keep({ does }, answer) {
  state.faults = {};
  if (answer.error && !state.first) {
    state.broken = answer.error;
  } else if (answer.error) {
    state.faults[answer.field || FIRST_FIELD[does]] = answer.error;
  } else {
    state.answers[does] = answer;
    state.first ||= answer;
  }
}

function focusOf(asked, answer) {
  if (answer.error) return $(answer.field || FIRST_FIELD[asked.does]);
  return $(asked.does === "check" ? "outcome" : PLACES[asked.does]);
}

function doing() {
  if (!state.started) return say("Starting Python in this page");
  if (state.done) return say("Deriving the figure: {number} of {of} months", { number: whole(state.done), of: whole(state.of) });
  return state.busy === "check" ? say("Checking files, chain and facts") : say("Computing");
}

function renderBusy() {
  $("busy").hidden = !state.busy;
  if (!state.busy) return;
  const text = doing();
  if ($("doing").textContent !== text) $("doing").textContent = text;
  $("seconds").textContent = say("{number} s", { number: whole(Math.floor((Date.now() - state.since) / 1000)) });
  if (state.done) Object.assign($("progress"), { max: state.of, value: state.done });
  else $("progress").removeAttribute("value");
}

function render() {
  document.documentElement.lang = language;
  document.title = `${say("Check a bundle")} · Detak`;
  for (const node of document.querySelectorAll("[data-say]")) {
    node.dataset.say ||= node.textContent;
    node.textContent = say(node.dataset.say);
  }
  for (const button of document.querySelectorAll("#languages button")) {
    button.setAttribute("aria-pressed", String(button.value === language));
  }
  const { check } = state.answers;
  const failed = state.broken && el("p", { class: "fault" }, `${say("It could not be checked:")} `, english(state.broken));
  show("failed", failed);
  const isHeadAlone = check !== state.first && !state.first?.wrong.length;
  show("found", check && [verdictCard(check, isHeadAlone), check.figure && figureCard(check.figure), checkedCard(check), printButton()]);
  $("further").hidden = !state.first?.figure;
  if (state.first?.figure) renderFurther(state.first);
  for (const one of document.querySelectorAll("input, form button, .choices button")) one.disabled = Boolean(state.busy);
  renderFaults();
  renderBusy();
  $("made-of").textContent = state.started
    ? say("In this page: detak-verify.pyz, SHA-256 {digest}, rule version {rules}; Python {version}.", state.started)
    : "";
}

function show(id, nodes) {
  $(id).replaceChildren(...[nodes].flat(Infinity).filter(Boolean));
}

function renderFurther({ longest, corrections }) {
  const { explain, sample, without } = state.answers;
  const offered = [el("summary", {}, say("Those of which most is counted")), el("div", { class: "choices" }, longest.map(choice))];
  show("longest", longest.length && el("details", {}, offered));
  show("corrections", corrections.map((one) => el("option", { value: one.id }, correctionText(one))));
  show("explained", explain && [explain.outages.map(outageBlock), verbatim(explain.text)]);
  show("drawn", sample && sampleBlock(sample));
  show("changed", without && changedBlock(without));
}

function choice(one) {
  const text = `${outageTitle(one)} · ${one.begin} · ${length(one.counted_ms)} · ${say(CAUSES[one.cause] || one.cause)}`;
  return el("button", { type: "button", onclick: () => { $("outage").value = one.number || one.id; ask("explain", { outage: $("outage").value }); } }, text);
}

const printButton = () => el("p", {}, el("button", { type: "button", class: "quiet", onclick: () => print() }, say("Print")));

function renderFaults() {
  for (const node of document.querySelectorAll("form .fault")) {
    const field = node.id.replace("-fault", "");
    node.hidden = !(field in state.faults);
    node.textContent = state.faults[field] ? say(state.faults[field]) : "";
    $(field).setAttribute("aria-invalid", String(field in state.faults));
  }
}

function ask(does, typed) {
  if (state.busy) return;
  busy(does);
  state.worker.postMessage({ kind: "ask", asked: { does, ...typed } });
}

for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(form.dataset.does, Object.fromEntries(new FormData(form)));
  });
}
$("languages").addEventListener("click", (event) => {
  if (!event.target.value) return;
  language = event.target.value;
  render();
});
$("file").addEventListener("change", () => take($("file").files[0]));
$("stop").addEventListener("click", () => {
  Object.assign(state, EMPTY, { answers: {}, faults: {}, file: null });
  $("file").value = "";
  restart();
  render();
  $("file").focus();
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    document.body.classList.toggle("over", kind === "dragover");
    if (kind === "drop") take(event.dataTransfer.files[0]);
  });
}
setInterval(renderBusy, 1000);
restart();
render();
