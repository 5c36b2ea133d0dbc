// The page's script: it keeps the live parts up to date, sends forms without leaving the page, and keeps sliders and their numbers equal.
"use strict";

const byId = (id) => document.getElementById(id);
const start = document.querySelector("meta[name=start]")?.content;

// put replaces a part of the page, and keeps the focus and what is unfolded in it.
function put(id, html) {
  const part = byId(id);
  if (!part) return;
  const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
  const open = [...part.querySelectorAll("details[open][id]")].map((d) => d.id);
  const scrolled = [...part.querySelectorAll("[id]")].filter((e) => e.scrollLeft || e.scrollTop).map((e) => [e.id, e.scrollLeft, e.scrollTop]);
  part.innerHTML = html;
  for (const d of open) if (byId(d)) byId(d).open = true;
  for (const [e, left, top] of scrolled) byId(e)?.scrollTo(left, top);
  if (focused) byId(focused)?.focus({ preventScroll: true });
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

// The connection to the server. A browser connects anew by itself, but gives up after some answers: then the page does.
let source, again;
function connect() {
  clearTimeout(again);
  source?.close();
  source = new EventSource("/events?page=" + encodeURIComponent(location.pathname + location.search));
  source.addEventListener("hello", (e) => {
    if (start && e.data !== start) { location.reload(); return; } // the program was started anew, or has another lab
    lost(false);
  });
  source.addEventListener("parts", (e) => putAll(JSON.parse(e.data)));
  source.addEventListener("reload", () => location.reload());
  source.addEventListener("error", () => {
    lost(true);
    if (source.readyState === EventSource.CLOSED) again = setTimeout(connect, 2000);
  });
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

// A laptop that slept or was offline catches up as soon as it is back.
window.addEventListener("online", connect);
document.addEventListener("visibilitychange", () => { if (!document.hidden && source?.readyState === EventSource.CLOSED) connect(); });
window.addEventListener("pagehide", () => source?.close());
window.addEventListener("pageshow", (e) => { if (e.persisted) connect(); });
connect();
