/* The live page in the browser: rows come in at the top, the oldest go, and scrolling away pauses. */
(function () {
  "use strict";
  const none = () => window.dash_clientside.no_update;
  const MOST_ROWS = 2000;
  let shown = []; /* row ids, the newest first */
  let early = []; /* batches that came before the grid */
  let pausedByScroll = false;

  function grid() {
    try {
      return window.dash_ag_grid.getApi("live-grid");
    } catch (notReady) {
      return null;
    }
  }

  function put(api, batch) {
    if (batch.reset) {
      api.applyTransaction({ remove: shown.map((id) => ({ row_id: id })) });
      shown = [];
      api.setColumnsVisible(["service", "status_code", "took"], window.innerWidth > 700);
    }
    const known = new Set(shown);
    const rows = batch.rows.filter((row) => !known.has(row.row_id));
    const ids = rows.map((row) => row.row_id).concat(shown);
    const gone = ids.slice(MOST_ROWS).filter((id) => known.has(id));
    api.applyTransaction({ add: rows.slice(0, MOST_ROWS), addIndex: 0, remove: gone.map((id) => ({ row_id: id })) });
    shown = ids.slice(0, MOST_ROWS);
  }

  function drain() {
    const api = early.length ? grid() : null;
    if (api) for (const batch of early.splice(0)) put(api, batch);
    else if (early.length && document.getElementById("live-grid")) setTimeout(drain, 100);
  }

  function edge(api, last) {
    const count = api.getDisplayedRowCount();
    for (let place = 0; place < count; place += 1) {
      const node = api.getDisplayedRowAtIndex(last ? count - 1 - place : place);
      if (node && node.data && node.data.timestamp) return Date.parse(node.data.timestamp);
    }
    return Date.now();
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    live: {
      apply: function (batch) {
        if (!batch) return none();
        if (batch.reset) early = [];
        early.push(batch);
        drain();
        return none();
      },
      pause: function (clicks, paused) {
        if (!clicks) return [false, "Pause", "text-button small"];
        if (paused) pausedByScroll = false;
        return [!paused, paused ? "Pause" : "Resume", "text-button small" + (paused ? "" : " live-paused")];
      },
      clear: function () {
        const api = grid();
        if (api) put(api, { rows: [], reset: true });
        return none();
      },
      freeze: function (clicks, view) {
        const api = grid();
        if (!clicks || !api) return none();
        const from = new Date(Math.floor(edge(api, true) / 1000) * 1000 - 1000).toISOString().slice(0, 19) + "Z";
        const to = new Date(Math.ceil(edge(api, false) / 1000) * 1000 + 1000).toISOString().slice(0, 19) + "Z";
        const parts = Object.assign({}, view, { from: from, to: to });
        const query = Object.entries(parts)
          .filter((entry) => entry[1])
          .map((entry) => entry[0] + "=" + encodeURIComponent(entry[1]).replace(/%7C/g, "|").replace(/%3A/g, ":"));
        window.location.assign(window.location.pathname.replace(/\/live$/, "/explore") + "?" + query.join("&"));
        return none();
      },
    },
  });

  function press() {
    const button = document.getElementById("live-pause");
    if (button) button.click();
  }

  function isPaused() {
    const button = document.getElementById("live-pause");
    return Boolean(button && button.classList.contains("live-paused"));
  }

  document.addEventListener(
    "scroll",
    (event) => {
      const place = event.target;
      if (!place.closest || !place.closest("#live-grid")) return;
      const top = place.scrollTop;
      if (top > 30 && !isPaused()) {
        pausedByScroll = true;
        press();
      } else if (top <= 2 && isPaused() && pausedByScroll) {
        press();
      }
    },
    true
  );

  document.addEventListener("visibilitychange", () => {
    if (document.getElementById("live-grid")) {
      window.dash_clientside.set_props("live-tick", { interval: document.hidden ? 3600000 : 800 });
    }
  });

  document.addEventListener("keydown", (event) => {
    const inField = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "l" && !inField && !event.ctrlKey && !event.metaKey && !event.altKey) press();
  });
})();
