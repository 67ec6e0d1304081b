/* Explore in the browser: facets, the grid of rows, and moving through it by keys. */
(function () {
  "use strict";
  const none = () => window.dash_clientside.no_update;

  function exploreGrid() {
    try {
      return window.dash_ag_grid.getApi("explore-grid");
    } catch (notReady) {
      return null; /* the grid announces itself a moment after the page */
    }
  }

  const table = { wanted: "null", asked: null, timer: null };

  function catchUp() {
    /* A request under way is let to its end: its answer brings us here again, and no answer meets another's rows. */
    const grid = exploreGrid();
    clearTimeout(table.timer);
    if (!grid || grid.isDestroyed() || table.wanted === "null") return;
    if (Object.values(grid.getCacheBlockState()).some((block) => block.pageStatus === "loading")) {
      table.timer = setTimeout(catchUp, 50);
      return;
    }
    grid.setColumnsVisible(["service", "status_code", "took"], window.innerWidth > 700);
    if (table.wanted === table.asked) return;
    table.asked = table.wanted;
    if (grid.getDisplayedRowCount() > 0) grid.ensureIndexVisible(0);
    grid.purgeInfiniteCache();
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.explore = {
    facet: function (pressed, levels, services, facets) {
      if (!pressed) return [none(), none(), none()];
      const toggled = (list) => (list.includes(pressed.value) ? list.filter((value) => value !== pressed.value) : list.concat(pressed.value));
      if (pressed.field === "level") return [toggled(levels || []), none(), none()];
      if (pressed.field === "service") return [none(), toggled(services || []), none()];
      const key = "f." + pressed.field;
      const kept = ((facets || {})[key] || "").split("|").filter((value) => value && value !== pressed.value && value !== "!" + pressed.value);
      const had = ((facets || {})[key] || "").split("|");
      const wanted = pressed.sign === "-" ? "!" + pressed.value : pressed.value;
      const values = pressed.sign === "0" || had.includes(wanted) ? kept : kept.concat(wanted);
      return [none(), none(), Object.assign({}, facets, { [key]: values.join("|") })];
    },
    closed: function (isOpen) {
      const grid = exploreGrid();
      if (grid && !isOpen) grid.deselectAll(); /* so that the same row can be opened again */
      return none();
    },
    openOnly: function (count, view) {
      /* A link to one event opens it, as soon as its row is there. */
      if (!view || !view["f.event_id"] || view["f.event_id"].includes("|")) return none();
      const started = Date.now();
      const look = setInterval(() => {
        const grid = exploreGrid();
        const row = grid && grid.getDisplayedRowAtIndex(0);
        if (row && row.data && row.data.event_id !== undefined) row.setSelected(true, true);
        if ((row && row.data && row.data.event_id !== undefined) || Date.now() - started > 10000) clearInterval(look);
      }, 100);
      return none();
    },
    purge: function (basis, answered) {
      table.wanted = JSON.stringify(basis);
      table.asked = JSON.stringify(answered);
      catchUp();
      return none();
    },
  };

  function moveRow(step) {
    const grid = document.getElementById("explore-grid") && exploreGrid();
    if (!grid) return;
    const selected = grid.getSelectedNodes()[0];
    const row = grid.getDisplayedRowAtIndex(selected ? selected.rowIndex + step : 0);
    if (!row || !row.data || row.data.event_id === undefined) return;
    row.setSelected(true, true);
    grid.ensureIndexVisible(row.rowIndex);
  }

  window.loglake = Object.assign(window.loglake || {}, { moveRow: moveRow });
})();
