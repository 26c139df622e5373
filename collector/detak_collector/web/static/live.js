// Keeps the status page current without reloading it: listens, fetches what changed, and says when it cannot.
"use strict";

(() => {
  const QUIET_MS = 30000;
  const REOPEN_MS = 5000;
  const main = document.getElementById("status");
  const asOf = document.getElementById("as-of");
  const stale = document.getElementById("stale");
  const { zone, build } = document.body.dataset;
  const words = JSON.parse(document.body.dataset.words);
  // The page stays in the language in which it was opened, whatever is chosen on another.
  const asked = `?language=${document.documentElement.lang}`;
  let version = document.body.dataset.version;
  let serverAhead = Number(document.body.dataset.now) - performance.now();
  let lastTold = performance.now();
  let connected = true;
  let fetching = false;
  let wanted = version;

  const serverNow = () => performance.now() + serverAhead;
  const clock = new Intl.DateTimeFormat(words.locale, { timeZone: zone, timeStyle: "medium" });
  const two = (number) => String(number).padStart(2, "0");

  // The same words as format_duration_ms in present.py; a test holds them together.
  function duration(ms) {
    const seconds = Math.floor(ms / 1000);
    const minutes = Math.floor(seconds / 60);
    const hours = Math.floor(minutes / 60);
    const { day, hour, minute, second } = words;
    if (ms <= 0) return `0 ${second}`;
    if (seconds < 1) return words.under;
    if (minutes < 1) return `${seconds} ${second}`;
    if (hours < 1) return `${minutes} ${minute} ${two(seconds % 60)} ${second}`;
    if (hours < 24) return `${hours} ${hour} ${two(minutes % 60)} ${minute}`;
    return `${Math.floor(hours / 24).toLocaleString(words.locale)} ${day} ${hours % 24} ${hour}`;
  }

  function tick() {
    const now = serverNow();
    for (const length of main.querySelectorAll("[data-since]")) {
      const said = duration(now - Number(length.dataset.since));
      if (length.textContent !== said) length.textContent = said;
    }
    if (connected && performance.now() - lastTold > QUIET_MS) warn(words.quiet);
  }

  function warn(what) {
    if (!stale.hidden) return;
    const since = clock.format(new Date(serverNow()));
    stale.textContent = what.replace("{since}", since).replace("{then}", asOf.textContent);
    stale.hidden = false;
  }

  // Makes `old` equal to `fresh` and keeps its nodes, so that what is open, focused or selected stays so.
  function morph(old, fresh) {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeType !== Node.ELEMENT_NODE) {
      old.nodeValue = fresh.nodeValue;
      return;
    }
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    morphChildren(old, fresh);
  }

  function morphChildren(old, fresh) {
    const named = new Map();
    for (const child of old.children) if (child.id) named.set(child.id, child);
    const wanted = new Set([...fresh.children].map((child) => child.id).filter(Boolean));
    let place = old.firstChild;
    for (const child of [...fresh.childNodes]) {
      const match = child.id ? named.get(child.id) : alike(place, child) ? place : null;
      // What moves loses the focus, so what stands in between goes instead.
      while (child.id && match && place !== match && !wanted.has(place.id)) place = drop(place);
      const kept = match && match.nodeName === child.nodeName ? match : child;
      if (kept === place) place = place.nextSibling;
      else old.insertBefore(kept, place);
      if (kept !== child) morph(kept, child);
    }
    while (place) place = drop(place);
  }

  function drop(node) {
    const next = node.nextSibling;
    node.remove();
    return next;
  }

  const alike = (old, fresh) => old && old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName && !old.id;

  async function refresh() {
    if (fetching) return;
    fetching = true;
    try {
      while (wanted !== version) {
        const aim = wanted;
        const answer = await fetch(`status/fragment${asked}`, { cache: "no-cache" });
        if (!answer.ok) throw new Error(`status ${answer.status}`);
        const fresh = new DOMParser().parseFromString(`<main id="status">${await answer.text()}</main>`, "text/html");
        morph(main, fresh.getElementById("status"));
        document.title = document.getElementById("headline").dataset.title;
        version = aim;
        tick();
      }
    } catch {
      warn(words.quiet);
    } finally {
      fetching = false;
    }
  }

  function told(event) {
    const news = JSON.parse(event.data);
    if (news.build !== build) {
      location.reload();
      return;
    }
    lastTold = performance.now();
    connected = true;
    stale.textContent = news.outdated;
    stale.hidden = !news.outdated;
    if (!news.outdated) serverAhead = news.now - performance.now();
    asOf.textContent = news.as_of;
    asOf.dateTime = new Date(news.now).toISOString();
    wanted = news.version;
    refresh();
  }

  function listen() {
    const source = new EventSource(`live${asked}`);
    source.addEventListener("status", told);
    source.addEventListener("error", () => {
      connected = false;
      warn(words.lost);
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, REOPEN_MS * (1 + Math.random()));
    });
  }

  setInterval(tick, 1000);
  tick();
  listen();
})();
