// The script of the page Flow: it has the text checked as one types, and goes to the line that is wrong.
"use strict";

const text = document.getElementById("flow-text");
let checking, pause;

async function check() {
  checking?.abort(); // an older answer must not come last
  checking = new AbortController();
  const body = new URLSearchParams(new FormData(text.form));
  try {
    const response = await fetch(text.dataset.check, { method: "POST", body, headers: { Accept: "application/json" }, signal: checking.signal });
    const answer = await response.json();
    putAll(answer.parts);
    if (answer.wrong) say(answer.say, true);
    text.setAttribute("aria-invalid", String(Boolean(document.getElementById("flow-goto") || answer.wrong)));
  } catch (error) {
    if (error.name !== "AbortError") say("The lab did not answer. Is tracelab up still running?", true);
  }
}

text.addEventListener("input", () => { clearTimeout(pause); pause = setTimeout(check, 300); });

document.addEventListener("click", (event) => {
  const button = event.target.closest("#flow-goto");
  if (!button) return;
  const lines = text.value.split("\n");
  const line = Math.min(Number(button.dataset.line), lines.length);
  const before = lines.slice(0, line - 1).reduce((n, l) => n + l.length + 1, 0);
  text.focus();
  text.setSelectionRange(before, before + lines[line - 1].length);
  text.scrollTop = Math.max(0, (line - 5) * (text.scrollHeight / lines.length));
});
