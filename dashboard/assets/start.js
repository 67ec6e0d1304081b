/* Before anything is painted: the theme. After the first paint: the scripts, which the page keeps in a template. */
(function () {
  "use strict";
  const WAIT_MS = 300; /* a hidden tab is never painted, but must start all the same */
  const MOST_MS = 20000;
  let chosen = null;
  try { chosen = localStorage.getItem("loglake-theme"); } catch (error) { chosen = null; }
  const dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  const root = document.documentElement;
  root.setAttribute("data-bs-theme", dark ? "dark" : "light");
  root.setAttribute("data-ag-theme-mode", dark ? "dark" : "light");
  document.cookie = "loglake_theme=" + (dark ? "dark" : "light") + "; path=/; SameSite=Lax; max-age=31536000";

  function add(old, then) {
    const script = document.createElement("script");
    for (const attribute of old.attributes) script.setAttribute(attribute.name, attribute.value);
    script.async = false; /* in the order in which they are added */
    script.textContent = old.textContent;
    if (then) script.addEventListener("load", then);
    document.body.appendChild(script);
  }

  function start() {
    const kept = document.getElementById("scripts");
    if (!kept) return; /* the login page has none */
    const all = Array.from(kept.content.querySelectorAll("script"));
    const files = all.filter((script) => script.src);
    const rest = all.filter((script) => !script.src);
    /* Libraries try out what the browser can by provoking errors; a stack for each makes it parse them over again. */
    const depth = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    const last = files.pop();
    files.forEach((script) => add(script));
    add(last, () => {
      Error.stackTraceLimit = depth;
      rest.forEach((script) => add(script));
    });
  }

  function painted(then) {
    let done = false;
    const once = () => { if (!done) { done = true; then(); } };
    requestAnimationFrame(() => setTimeout(once, 0));
    setTimeout(once, WAIT_MS);
  }

  /* The first paint is a picture of the page: it goes when the page stands behind it, with its first chart. */
  function handOver() {
    const picture = document.getElementById("first-paint");
    const page = document.getElementById("react-entry-point");
    if (!picture || !page) return;
    const began = Date.now();
    const isReady = () => {
      const charts = page.querySelectorAll(".dash-graph");
      const isDrawn = picture.querySelector(".drawn") === null || page.querySelector(".js-plotly-plot .xy") !== null;
      return page.querySelector(".shell") !== null && (charts.length === 0 || isDrawn);
    };
    const watch = new MutationObserver(() => {
      if (!isReady() && Date.now() - began < MOST_MS) return;
      watch.disconnect();
      document.body.classList.remove("first");
      picture.remove();
    });
    watch.observe(page, { childList: true, subtree: true });
  }

  document.addEventListener("DOMContentLoaded", handOver);
  document.addEventListener("DOMContentLoaded", () => painted(start));
})();
