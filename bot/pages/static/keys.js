/* The keys, and decisions without loading the page anew. Everything works without this file. */
"use strict";
(() => {
  const items = () => [...document.querySelectorAll("[data-item]")];
  const said = (text) => { document.getElementById("said").textContent = text; };
  const current = () => document.activeElement?.closest("[data-item]") ?? null;
  const writes = (target) => target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");

  const go = (step) => {
    const all = items(), at = all.indexOf(current());
    const next = at < 0 ? all[step > 0 ? 0 : all.length - 1] : all[at + step];
    if (next) { next.focus({ preventScroll: true }); next.scrollIntoView({ block: "nearest" }); }
  };

  const send = async (form, button) => {
    const item = form.closest("[data-item]"), data = new FormData(form);
    data.set(button.name, button.value);
    item.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.getAttribute("action"), {
        method: "POST", body: new URLSearchParams(data), headers: { "X-Part": "item" }, redirect: "error",
      });
      if (!answer.ok) { said(await answer.text()); return; }
      const holder = document.createElement("template");
      holder.innerHTML = await answer.text();
      const fresh = holder.content.querySelector("[data-item]");
      if (!fresh) { location.reload(); return; }
      const stays = item.contains(document.activeElement) || document.activeElement === document.body;
      item.replaceWith(fresh);
      if (stays) fresh.focus({ preventScroll: true }); // who has moved on meanwhile stays there
      said(fresh.getAttribute("aria-label") + ": " + (fresh.querySelector(".verdict-mark")?.textContent ?? "undone"));
    } catch { said("The service did not answer. Try again."); } finally { item.removeAttribute("aria-busy"); }
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form.decide") || !event.submitter) return;
    event.preventDefault();
    send(form, event.submitter);
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || writes(event.target)) return;
    if (event.key === "j" || event.key === "k") { event.preventDefault(); go(event.key === "j" ? 1 : -1); return; }
    const place = current() ?? (items().length ? null : document);
    if (!place) return;
    const keyed = [...place.querySelectorAll("[data-key]")].find((each) => each.dataset.key === event.key);
    if (!keyed) return;
    event.preventDefault();
    keyed.click();
  });

  document.querySelector("[data-autofocus]")?.focus();
})();
