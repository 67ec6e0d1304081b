/* The shell in the browser: the view's store and the URL move together; theme, shortcuts, menu. */
(function () {
  "use strict";
  const none = () => window.dash_clientside.no_update;
  const DEFAULTS = { from: "now-1h", to: "now", tz: "UTC" };
  const NAV = { o: "Overview", e: "Explore", l: "Live", s: "Services", n: "Patterns", a: "Alerts", p: "Pipeline", q: "SQL" };

  function queryOf(view) {
    const parts = [];
    for (const [key, value] of Object.entries(view)) {
      const isRange = key === "from" || key === "to";
      const rangeIsDefault = view.from === DEFAULTS.from && view.to === DEFAULTS.to;
      if (!value || (isRange ? rangeIsDefault : DEFAULTS[key] === value)) continue;
      parts.push(key + "=" + encodeURIComponent(value).replace(/%7C/g, "|").replace(/%3A/g, ":"));
    }
    return parts.length ? "?" + parts.join("&") : "";
  }

  function zoneName(choice) {
    return choice === "local" ? Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC" : "UTC";
  }

  function themeMode() {
    try { return localStorage.getItem("loglake-theme") || "system"; } catch (error) { return "system"; }
  }

  function applyTheme(mode) {
    const dark = mode === "dark" || (mode === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
    const name = dark ? "dark" : "light";
    document.documentElement.setAttribute("data-bs-theme", name);
    document.documentElement.setAttribute("data-ag-theme-mode", name);
    const button = document.getElementById("shell-theme-button");
    if (button) {
      button.textContent = { light: "☀", dark: "☾", system: "◐" }[mode];
      button.title = "theme: " + mode + " (d)";
    }
    return name;
  }

  function same(first, second) {
    return JSON.stringify(Object.entries(first || {}).sort()) === JSON.stringify(Object.entries(second || {}).sort());
  }

  /* Let the page's links and presets follow a view; what a reader chose in the menu is seen when the menu is closed. */
  function show(view) {
    for (const link of document.querySelectorAll(".nav-entry")) link.search = queryOf(view);
    for (const preset of document.querySelectorAll(".preset")) {
      const range = JSON.parse(preset.dataset.value);
      preset.classList.toggle("active", view.from === range.from && view.to === range.to);
    }
    document.getElementById("shell-sidebar").classList.remove("open");
  }

  function spanOf(view) {
    return { from: view.from, to: view.to, tz: view.tz };
  }

  /* What the page is to be drawn for; nothing when it is drawn, or when another range's answer has yet to come. */
  function asked(answer, theme, draw, view, shown) {
    if (!answer || answer.from !== view.from || answer.to !== view.to) return none();
    const isUnderWay = draw && !same(draw.view, (shown[0] || {}).view);
    const had = (isUnderWay || (draw && draw.answer) ? draw : shown[0]) || {};
    const isDrawn = had.answer && had.answer.token === answer.token && had.theme === theme && same(had.view, view);
    return isDrawn ? none() : { answer: answer, view: view, theme: theme };
  }

  document.addEventListener("click", (event) => {
    const sidebar = document.getElementById("shell-sidebar");
    if (sidebar && event.target.closest("#shell-menu")) sidebar.classList.toggle("open");
    else if (sidebar && event.target.closest(".nav-entry")) sidebar.classList.remove("open");
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    shell: {
      writeView: function (range, levels, services, search, zone, facets, current, due, pageDue, answer, theme, draw, shown) {
        const order = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "OTHER"];
        const view = Object.assign(
          {
            from: range.from,
            to: range.to,
            level: order.filter((level) => (levels || []).includes(level)).join("|"),
            service: (services || []).join("|"),
            q: (search || "").trim().replace(/\s+/g, " "),
            tz: zoneName(zone),
          },
          Object.fromEntries(Object.entries(facets || {}).filter((entry) => entry[1]))
        );
        if (same(view, current)) return [none(), none(), none(), none()];
        const path = window.location.pathname.replace(/\/services\/[^/]+$/, "/services"); /* the service is in the query */
        const url = path + queryOf(view);
        const rangeMoved = !current || view.from !== current.from || view.to !== current.to;
        window.history[rangeMoved ? "pushState" : "replaceState"](window.history.state, "", url);
        show(view);
        const span = spanOf(view);
        const told = same(span, spanOf(current || {})) ? none() : span;
        if (same(span, pageDue[0] || due)) return [view, told, none(), asked(answer, theme, draw, view, shown)];
        if (!shown.length) return [view, told, span, none()];
        return [view, told, none(), { answer: null, view: view, theme: theme }]; /* of what is kept; the load follows */
      },
      /* The range's text also follows what is chosen otherwise: only what was typed is asked about. */
      typed: function (text, told) {
        return text === told ? [none(), ""] : [{ text: text, at: Date.now() }, none()];
      },
      theme: function (clicks, current) {
        let mode = themeMode();
        if (clicks) {
          mode = { system: "light", light: "dark", dark: "system" }[mode] || "system";
          try { localStorage.setItem("loglake-theme", mode); } catch (error) { /* private mode: this page only */ }
        }
        const name = applyTheme(mode);
        return name === current ? none() : name;
      },
      /* Set, not put out: Dash drops a callback that follows from itself, as the drawing of an answer does from the
         drawing of what was kept, when the load that it asked for is answered at once. */
      ask: function (answer, theme, draw, view, shown) {
        const next = asked(answer, theme, draw, view, shown);
        if (next !== none()) window.dash_clientside.set_props("shell-draw", { data: next });
        return none();
      },
      copyLink: function () {
        navigator.clipboard.writeText(window.location.href);
        const button = document.getElementById("shell-copy");
        button.classList.add("done");
        setTimeout(() => button.classList.remove("done"), 1200);
        return none();
      },
      help: function (clicks) {
        return Boolean(clicks);
      },
    },
  });

  /* Back and Forward: the view came from a URL that Dash did not see being written, so let it read this one anew. */
  window.addEventListener("popstate", () => window.location.reload());

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    if (themeMode() === "system" && window.dash_clientside.set_props) window.dash_clientside.set_props("shell-theme", { data: applyTheme("system") });
  });

  setInterval(() => {
    for (const pill of document.querySelectorAll("[data-since]")) {
      const seconds = Math.max(0, Math.round(Date.now() / 1000 - Number(pill.dataset.since)));
      const text = seconds < 60 ? seconds + " s" : seconds < 3600 ? Math.floor(seconds / 60) + " min" : Math.floor(seconds / 3600) + " h";
      pill.textContent = pill.dataset.word + " " + text;
    }
  }, 1000);

  function escape(target) {
    if (target.closest(".offcanvas, .modal")) return; /* they close themselves */
    const drawer = document.querySelector(".offcanvas.show .btn-close");
    const cancel = document.getElementById("shell-cancel");
    if (drawer) drawer.click();
    else if (cancel && !cancel.hidden) cancel.click();
  }

  let leader = false;
  document.addEventListener("keydown", (event) => {
    const inField = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "Escape") { if (inField) inField.blur(); else escape(event.target); }
    if (inField || event.ctrlKey || event.metaKey || event.altKey) return;
    const click = (id) => { const found = document.getElementById(id); if (found) found.click(); };
    const focus = (id) => { const found = document.getElementById(id); if (found) { event.preventDefault(); found.focus(); found.select(); } };
    if (leader && NAV[event.key]) {
      const link = Array.from(document.querySelectorAll(".nav-entry")).find((entry) => entry.title === NAV[event.key]);
      if (link) link.click();
    } else if (event.key === "j" || event.key === "k") window.loglake.moveRow(event.key === "j" ? 1 : -1);
    else if (event.key === "/") focus("shell-search");
    else if (event.key === "t") focus("shell-range-text");
    else if (event.key === "r") click("shell-run");
    else if (event.key === "d") click("shell-theme-button");
    else if (event.key === "?") click("shell-help-button");
    leader = event.key === "g";
  });
})();
