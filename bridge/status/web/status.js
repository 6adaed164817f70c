// Replaces the parts of the page that have changed by those that the server sends.
"use strict";

const live = document.getElementById("live");
const announce = document.getElementById("announce");
let source = null;

function show(state, text) {
  live.dataset.live = state;
  live.textContent = text;
}

// A part that somebody has selected text in stays as it is until they are done.
function isSelected(part) {
  const selection = document.getSelection();
  return selection && !selection.isCollapsed && part.contains(selection.anchorNode);
}

function replace(part, next) {
  const focused = part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  part.replaceWith(next);
  if (focused !== null) {
    const again = Array.from(next.querySelectorAll("a")).find((a) => a.getAttribute("href") === focused);
    if (again) again.focus({ preventScroll: true });
  }
}

function update(html) {
  const next = new DOMParser().parseFromString(html, "text/html");
  for (const part of document.querySelectorAll("[data-part]")) {
    const other = next.querySelector(`[data-part="${part.dataset.part}"]`);
    if (!other || other.outerHTML === part.outerHTML || isSelected(part)) continue;
    if (part.dataset.level !== other.dataset.level) announce.textContent = other.querySelector("h1").textContent;
    replace(part, other);
  }
  show("on", "live");
}

function connect() {
  if (source || document.hidden) return;
  source = new EventSource("/updates");
  source.onmessage = (event) => update(event.data);
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) show("off", "not live; reload the page");
    else show("off", "reconnecting");
  };
}

// Nothing is sent to a page that nobody sees.
document.addEventListener("visibilitychange", () => {
  if (document.hidden && source) {
    source.close();
    source = null;
    show("off", "paused");
  }
  connect();
});
connect();
