/* The table of rows is 2 MB of script: it is loaded when a page first shows one. */
(function () {
  "use strict";
  const notYet = () => { throw new Error("the grid is not loaded yet"); };

  function script(source) {
    return new Promise((resolve, reject) => {
      const element = document.createElement("script");
      element.src = source;
      element.addEventListener("load", resolve);
      element.addEventListener("error", () => reject(new Error("could not load " + source)));
      document.body.appendChild(element);
    });
  }

  const kept = document.getElementById("scripts").dataset;
  let loading = null;

  async function load() {
    await script(kept.grid); /* takes window.dash_ag_grid */
    const loaded = window.dash_ag_grid;
    window.dash_ag_grid = { AgGrid: AgGrid, getApi: loaded.getApi, getApiAsync: loaded.getApiAsync };
    return { default: loaded.AgGrid };
  }

  const loadOnce = () => (loading = loading || load());
  const Grid = window.React.lazy(loadOnce);

  function AgGrid(props) {
    const place = window.React.createElement("div", { id: props.id, className: props.className, style: props.style });
    return window.React.createElement(window.React.Suspense, { fallback: place }, window.React.createElement(Grid, props));
  }

  window.dash_ag_grid = { AgGrid: AgGrid, getApi: notYet, getApiAsync: notYet };
  if (document.querySelector("#first-paint .ag-place")) loadOnce(); /* this page has one */
})();
