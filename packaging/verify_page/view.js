// What the page shows of an answer. Texts only: nothing that a bundle says can become markup.
"use strict";

let language = (navigator.language || "").toLowerCase().startsWith("id") ? "id" : "en";
const { dictionary: DICTIONARY, causes: CAUSES, reasons: REASONS, shown: SHOWN } = JSON.parse(document.getElementById("words").textContent);

function say(text, named = {}) {
  const told = (language === "en" ? undefined : DICTIONARY[text]) || text;
  return told.replace(/{(\w+)}/g, (_, name) => named[name]);
}

function el(tag, given = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name === "onclick") node.addEventListener("click", value);
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((one) => one !== null && one !== undefined && one !== ""));
  return node;
}

const decimal = (text) => (language === "id" ? text.replace(".", ",") : text);
const whole = (number) => new Intl.NumberFormat(language === "id" ? "id-ID" : "en-GB").format(number);
const english = (text) => el("span", { lang: "en" }, text);
const code = (text) => el("code", {}, text);

function length(ms) {
  const sign = ms < 0 ? "−" : "";
  const left = Math.abs(ms);
  const hours = whole(Math.floor(left / 3600000));
  const minutes = String(Math.floor(left / 60000) % 60).padStart(2, "0");
  const seconds = String(Math.floor(left / 1000) % 60).padStart(2, "0");
  return sign + decimal(`${hours}:${minutes}:${seconds}.${Math.floor((left % 1000) / 100)}`);
}

function values(rows) {
  const shown = rows.filter((row) => row);
  return el("dl", { class: "values" }, shown.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

function verbatim(text) {
  const lines = el("pre", { lang: "en", tabindex: "0" }, text);
  return el("details", {}, el("summary", {}, say("Exactly as detak-verify.pyz says it")), lines);
}

const percentText = (figure) => (figure.percent === null ? say("no service time") : `${decimal(figure.percent)} %`);

function verdictText(figure) {
  if (figure.verdict === null) return say("no verdict");
  if (figure.verdict === "not observed") return say("Not observed");
  return figure.verdict === "met" ? say("Target met") : say("Target missed");
}

function figureCard(figure) {
  const proofs = { met: say("met"), missed: say("missed"), undecided: say("undecided") };
  return el("section", { class: "card", id: "figure" },
    el("h2", {}, say("The figure, derived again")),
    el("p", { class: "figure-large" }, percentText(figure)),
    el("p", {}, el("b", {}, verdictText(figure)), ` (${say("target {target} %", { target: decimal(figure.target) })})`),
    values([
      [say("counted"), `${length(figure.counted_ms)} (${whole(figure.counted_ms)} ms)`],
      [say("certain to possible"), `${length(figure.certain_ms)} – ${length(figure.possible_ms)}`],
      [say("proof"), figure.proof === null ? "–" : proofs[figure.proof]],
      [say("service time"), `${length(figure.service_time_ms)} (${whole(figure.service_time_ms)} ms)`],
      [say("coverage"), figure.coverage === null ? "–" : `${decimal(figure.coverage)} %`],
    ]));
}

// What a kind of fault means, by the word that the verifier begins its line with.
const MEANINGS = {
  chain: () => say("The chain of records does not hold: something in it was altered, left out, added or put elsewhere."),
  facts: () => say("What the figure was derived from is not what was recorded."),
  entries: () => say("Exclusions, declarations or the catalogue are not as they were entered."),
  figure: () => say("Derived again from the same evidence, the figure is another one."),
};

function verdictCard(answer, isHeadAlone) {
  const bad = answer.wrong;
  if (!bad.length) {
    const what = answer.compared
      ? say("Chain, facts, entries and figure hold, and the head that you kept is one of this chain.")
      : say("Chain, facts, entries and figure hold. No head that you kept was compared yet.");
    return el("section", { class: "card outcome sound", tabindex: "-1", id: "outcome" }, el("h2", {}, say("Sound")), el("p", {}, what));
  }
  const meaning = isHeadAlone
    ? () => say("This chain does not have the head that you kept: it was made anew or cut off, or what you typed is not its head.")
    : MEANINGS[bad[0].split(":")[0]];
  return el("section", { class: "card outcome unsound", tabindex: "-1", id: "outcome" },
    el("h2", {}, say("Not sound")),
    el("p", {}, meaning ? meaning() : ""),
    el("p", {}, say("The first that is wrong:"), " ", el("span", { class: "first-bad", lang: "en" }, bad[0])),
    bad.length > 1 ? el("ul", { class: "wrong", lang: "en" }, bad.slice(1).map((line) => el("li", {}, line))) : null);
}

function checkedCard(answer) {
  const { chain } = answer;
  const head = answer.compared ? [code(answer.compared), ` ${say("is one of them")}`] : say("not compared");
  const compared = say("{spans} closed spans compared with their records, {open} still open",
    { spans: whole(answer.spans || 0), open: whole(answer.open || 0) });
  const unseen = say("{number} more records, by their numbers, were still open or are not in this bundle",
    { number: whole(answer.unseen || 0) });
  return el("section", { class: "card", id: "checked" },
    el("h2", {}, say("What was checked")),
    values([
      [say("file"), `${answer.file} (${whole(answer.bytes)} B)`],
      [say("SHA-256 of the file"), code(answer.sha256)],
      [say("period"), `${answer.period}: ${answer.from} – ${answer.to}`],
      [say("as of"), answer.as_of],
      [say("files in it"), say("{number}, each as bundle.json says", { number: whole(answer.files) })],
      chain && [say("chain"), [say("holds to the head"), " ", code(chain.head)]],
      chain && [say("blocks"), say("{carried} of {blocks} came with their records", { carried: whole(chain.carried), blocks: whole(chain.blocks) })],
      chain && [say("head that you kept"), head],
      chain && [say("facts"), answer.unseen ? [compared, el("br"), unseen] : compared],
      answer.digest && [say("SHA-256 of the result"), code(answer.digest)],
      answer.digest && answer.digest !== answer.bundled && [say("bundled"), code(answer.bundled)],
    ]),
    verbatim(answer.text));
}

function outageTitle(one) {
  const number = one.number || say("no number");
  return `${say("Outage {number}", { number })} · ${one.service}`;
}

const correctionText = (one) => `${say(REASONS[one.category] || one.category)}${one.drill ? ` (${say("drill")})` : ""}, ${one.document}: ${one.reason}`;

function pieceItem(piece) {
  const counted = piece.fate === "counted";
  const fate = counted ? say("counted") : `${say("not counted")}: ${say(REASONS[piece.fate] || piece.fate)}`;
  const rows = [
    ...piece.layers.map((one) => [`${say("group")} ${one.group} (${say(CAUSES[one.category] || one.category)})`, one.rule && ` · ${one.rule}`, one.member && `: ${one.member}`]),
    ...piece.evidence.map((one) => [`${one.check}: ${one.begin} – ${one.end}, ${say(SHOWN[one.shown_as] || one.shown_as)}`, one.message && `: ${one.message}`, one.spans.length ? ` [${one.spans.join(", ")}]` : ""]),
    ...piece.corrections.map((one) => [`${one.label}: ${correctionText(one)} `, say("(proposed by {proposed}, approved by {approved})", { proposed: one.proposed_by, approved: one.approved_by })]),
  ];
  return el("div", { class: counted ? "piece" : "piece left" },
    el("p", {}, el("b", {}, `${length(piece.length_ms)} ${fate}`), ` · ${piece.begin} · ${say(CAUSES[piece.cause] || piece.cause)}`),
    el("ul", {}, rows.map((row) => el("li", {}, row))));
}

function recordLines(lines, more) {
  if (!lines.length) return null;
  const text = lines.join("\n") + (more ? `\n… +${more}` : "");
  return el("details", {}, el("summary", {}, `${say("Lines of the records")} (${whole(lines.length + more)})`), el("pre", { tabindex: "0" }, text));
}

function outageBlock(one) {
  return el("article", {},
    el("h3", {}, outageTitle(one)),
    values([
      [say("lasted"), `${one.begin} – ${one.running ? say("still running") : one.end}`],
      [say("counted"), length(one.counted_ms)],
      [say("certain to possible"), `${length(one.certain_ms)} – ${length(one.possible_ms)}`],
    ]),
    one.pieces.map(pieceItem),
    recordLines(one.lines, one.more_lines));
}

function sampleBlock(answer) {
  const drawn = say("{outages} outages and {spans} spans, drawn by {seed}",
    { outages: whole(answer.outages.length), spans: whole(answer.spans.length), seed: answer.seed });
  return [
    el("p", {}, el("b", {}, drawn)),
    answer.outages.map(outageBlock),
    answer.spans.length ? el("h3", {}, say("Spans")) : null,
    answer.spans.map((one) => el("div", { class: "piece left" }, el("p", {}, `${one.node}, ${one.run}, ${one.number}`), el("pre", { tabindex: "0" }, one.line))),
    verbatim(answer.text),
  ];
}

function changedBlock(answer) {
  const told = (figure) => `${percentText(figure)} · ${length(figure.counted_ms)} · ${verdictText(figure)}`;
  const sign = answer.change_ms > 0 ? "+" : "";
  return [
    values([
      [say("as it is"), told(answer.figure)],
      [say("without {name}", { name: answer.exclusion }), told(answer.other)],
      [say("change"), `${sign}${length(answer.change_ms)} (${sign}${whole(answer.change_ms)} ms)`],
    ]),
    verbatim(answer.text),
  ];
}
