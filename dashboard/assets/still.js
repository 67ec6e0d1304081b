/* Still content: HTML that the server wrote, put in as it comes; its links move between pages, its buttons set stores. */
(function () {
  "use strict";
  const HTML = "data-html";

  function fill(place) {
    const html = place.getAttribute(HTML);
    if (place.still !== html) place.innerHTML = place.still = html;
  }

  function fillWithin(node) {
    if (!(node instanceof HTMLElement)) return;
    if (node.hasAttribute(HTML)) fill(node);
    node.querySelectorAll("[" + HTML + "]").forEach(fill);
  }

  new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "attributes") fill(change.target);
      else change.addedNodes.forEach(fillWithin);
    }
  }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: [HTML] });

  function follow(event, link) {
    const isPlain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    if (!isPlain || link.target || link.hasAttribute("download") || link.origin !== window.location.origin) return;
    event.preventDefault();
    window.history.pushState({}, "", link.href);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate")); /* as Dash's own links do */
    window.scrollTo(0, 0);
  }

  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.target.closest("#first-paint")) return;
    const pressed = event.target.closest("[data-press]");
    const link = event.target.closest("[" + HTML + "] a[href]");
    if (pressed) {
      const value = Object.assign(JSON.parse(pressed.dataset.value), { at: Date.now() });
      window.dash_clientside.set_props(pressed.dataset.press, { data: value });
    } else if (link) follow(event, link);
  });
})();
