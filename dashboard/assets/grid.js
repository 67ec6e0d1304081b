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
  let real = null;

  async function load() {
    await script(kept.grid);
    return { default: real.AgGrid };
  }

  const loadOnce = () => (loading = loading || load());
  const Grid = window.React.lazy(loadOnce);

  function AgGrid(props) {
    const place = window.React.createElement("div", { id: props.id, className: props.className, style: props.style });
    return window.React.createElement(window.React.Suspense, { fallback: place }, window.React.createElement(Grid, props));
  }

  /* The script names itself window.dash_ag_grid: it must never take our component's place, or the grid starts twice. */
  const stand = {
    AgGrid: AgGrid,
    getApi: (...names) => (real ? real.getApi(...names) : notYet()),
    getApiAsync: (...names) => (real ? real.getApiAsync(...names) : notYet()),
  };
  const take = (loaded) => { if (loaded !== stand) real = loaded; }; /* a later part of it sets what it got */
  Object.defineProperty(window, "dash_ag_grid", { get: () => stand, set: take });
  if (document.querySelector("#first-paint .ag-place")) loadOnce(); /* this page has one */
})();
