// The page's script: it keeps the live parts up to date, sends forms without leaving the page, and keeps sliders and their numbers equal.
"use strict";

const byId = (id) => document.getElementById(id);
const start = document.querySelector("meta[name=start]")?.content;

// A part of the page is replaced as a whole. While somebody is busy in it, the newest HTML waits. While a pointer is down, all parts wait: a click needs
// the same element under it from its press to its release, and a part above may push that away. It waits for so many milliseconds at most.
const longestWait = 10000;
const shown = new WeakMap(); // the HTML that a part was given last
const waiting = new Map(); // by the id of a part: its newest HTML, and when it began to wait

// put shows a part anew, as soon as it may.
function put(id, html) {
  const part = byId(id);
  const now = performance.now(), since = waiting.get(id)?.since ?? now;
  waiting.delete(id);
  if (!part || shown.get(part) === html) return;
  if (now - since >= longestWait) pressed = false; // its release was not seen
  if (!busy(part) || now - since >= longestWait) { replace(part, html); return; }
  waiting.set(id, { html, since });
  if (since === now) setTimeout(settle, longestWait + 1);
}

// settle shows what no longer has to wait.
function settle() {
  for (const [id, { html }] of [...waiting]) put(id, html);
}

// busy tells whether a pointer or a key is down, a field in a part has the focus, or some of the part is selected.
let pressed = false;
function busy(part) {
  const selection = getSelection();
  return pressed || part.contains(document.activeElement?.closest("input, select, textarea") || null) || (!selection.isCollapsed && selection.containsNode(part, true));
}

// A release comes before its click, and a finger's click some time after it.
let releasing;
function press() { clearTimeout(releasing); pressed = true; }
function release(after) {
  clearTimeout(releasing);
  releasing = setTimeout(() => { pressed = false; settle(); }, after);
}
for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, press, true);
document.addEventListener("pointerup", () => release(300), true);
for (const kind of ["click", "keyup", "pointercancel"]) document.addEventListener(kind, () => release(0), true);
window.addEventListener("blur", () => release(0));
for (const kind of ["focusout", "selectionchange"]) document.addEventListener(kind, () => setTimeout(settle));

// replace puts HTML into a part, and keeps the focus, what is unfolded, and what is scrolled in it.
function replace(part, html) {
  const name = (e) => e.id || e.getAttribute("href") || e.getAttribute("aria-label") || e.textContent;
  const list = (selector) => [...part.querySelectorAll(selector)];
  const keep = list("details[open], .scroll, pre").map((e) => [e.localName, name(e), e.open, e.scrollLeft, e.scrollTop]);
  const focused = part.contains(document.activeElement) ? [document.activeElement.localName, name(document.activeElement)] : null;
  const again = ([kind, called]) => list(kind).find((e) => name(e) === called);
  part.innerHTML = html;
  shown.set(part, html);
  for (const [kind, called, open, left, top] of keep) {
    const e = again([kind, called]);
    if (e && open) e.open = true;
    if (left || top) e?.scrollTo(left, top);
  }
  if (focused) again(focused)?.focus({ preventScroll: true });
}

function putAll(parts) {
  for (const [id, html] of Object.entries(parts || {})) put(id, html);
}

// say tells something in the status line, which screen readers read out.
let hush;
function say(text, wrong) {
  const line = byId("say");
  if (!line) return;
  line.textContent = text || "";
  line.classList.toggle("wrong", Boolean(wrong));
  clearTimeout(hush);
  if (text && !wrong) hush = setTimeout(() => { line.textContent = ""; }, 8000);
}

// The connection to the server. A browser connects anew by itself, but gives up after some answers: then the page does. A tab that nobody sees has none,
// since a browser opens only six connections for all of its tabs. When too many are seen, the server ends a connection after its first answer.
let source, retry;
function connect() {
  leave();
  if (document.hidden) return;
  const own = source = new EventSource("/events?page=" + encodeURIComponent(location.pathname + location.search));
  let answered = false;
  own.addEventListener("hello", (e) => {
    if (start && e.data !== start) { location.reload(); return; } // the program was started anew, or has another lab
    answered = true;
    lost(false);
  });
  own.addEventListener("parts", (e) => putAll(JSON.parse(e.data)));
  own.addEventListener("reload", () => location.reload());
  own.addEventListener("error", () => {
    if (!answered) lost(true);
    answered = false;
    if (own.readyState === EventSource.CLOSED) retry = setTimeout(connect, 2000);
  });
}

function leave() {
  clearTimeout(retry);
  source?.close();
}

function lost(is) {
  const line = byId("connection");
  if (!line) return;
  line.hidden = !is;
  line.textContent = is ? "Connection lost, trying again. Is tracelab up still running?" : "";
}

// A form is sent without leaving the page, and its answer put into it. Forms with data-plain go their own way.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post" || "plain" in form.dataset || "plain" in (event.submitter?.dataset || {})) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  const button = event.submitter;
  button?.setAttribute("aria-busy", "true");
  try {
    const action = button?.hasAttribute("formaction") ? button.formAction : form.action;
    const response = await fetch(action, { method: "POST", body, headers: { Accept: "application/json" } });
    const answer = await response.json();
    putAll(answer.parts);
    say(answer.say, answer.wrong);
    if (answer.go) location.assign(answer.go);
    if (!answer.wrong && "clear" in form.dataset) form.reset();
  } catch {
    say("The lab did not answer. Is tracelab up still running?", true);
  } finally {
    button?.removeAttribute("aria-busy");
  }
});

// data-same names another field that always has the same value; data-send sends the form when a value was chosen.
document.addEventListener("input", (event) => {
  const other = byId(event.target.dataset?.same);
  if (other) other.value = event.target.value;
});
document.addEventListener("change", (event) => {
  if (event.target.dataset && "send" in event.target.dataset) event.target.form?.requestSubmit();
});

// A tab that is shown again, and a laptop that slept or was offline, catches up at once.
window.addEventListener("online", connect);
document.addEventListener("visibilitychange", () => document.hidden ? leave() : connect());
window.addEventListener("pagehide", leave);
window.addEventListener("pageshow", (e) => { if (e.persisted) connect(); });
connect();
