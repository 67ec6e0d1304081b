/* The brush: who draws over a stretch of a chart, with mouse, pen or finger, makes it the page's range.
   Plotly's own zoom would draw the chart for the stretch first, and once more when its data has come. */
(function () {
  "use strict";
  const LEAST_PX = 8; /* less is a click */
  const LEAST_MS = 60000;
  let brush = null;

  function begin(event) {
    const area = event.target.closest(".brushable .nsewdrag");
    const graph = area && area.closest(".js-plotly-plot");
    if (!graph || event.button !== 0 || graph._fullLayout.xaxis.type !== "date") return;
    const box = document.createElement("div");
    box.className = "brush";
    brush = { area: area, axis: graph._fullLayout.xaxis, box: box, from: event.clientX, to: event.clientX };
    area.setPointerCapture(event.pointerId);
    area.dispatchEvent(new MouseEvent("mouseout", { bubbles: true })); /* takes Plotly's hover label away */
  }

  /* The stretch as the chart's own times: texts without a zone. */
  function stretch() {
    const rect = brush.area.getBoundingClientRect();
    const within = (x) => (Math.min(Math.max(x - rect.left, 0), rect.width) * brush.axis._length) / rect.width;
    const ends = [within(brush.from), within(brush.to)].sort((first, second) => first - second);
    return { rect: rect, ends: ends, texts: ends.map((end) => String(brush.axis.p2d(end)).slice(0, 19)) };
  }

  function move(event) {
    if (!brush) return;
    brush.to = event.clientX;
    if (Math.abs(brush.to - brush.from) < LEAST_PX) return;
    const { rect, ends, texts } = stretch();
    const place = brush.area.closest(".chart");
    const origin = place.getBoundingClientRect();
    const [left, right] = ends.map((end) => (end * rect.width) / brush.axis._length);
    if (!brush.box.isConnected) place.appendChild(brush.box);
    brush.box.style.left = rect.left - origin.left + left + "px";
    brush.box.style.width = right - left + "px";
    brush.box.style.top = rect.top - origin.top + "px";
    brush.box.style.height = rect.height + "px";
    const isOneDay = texts[0].slice(0, 10) === texts[1].slice(0, 10);
    brush.box.textContent = texts.map((text) => text.slice(isOneDay ? 11 : 5, 16)).join(" – ");
  }

  function end() {
    if (!brush) return;
    const { texts } = stretch();
    const isDrawn = Math.abs(brush.to - brush.from) >= LEAST_PX;
    drop();
    if (!isDrawn) return;
    const [from, to] = texts.map((text) => Date.parse(text.replace(" ", "T") + "Z"));
    const written = (moment) => new Date(moment).toISOString().slice(0, 19) + "Z";
    const isLocal = new URLSearchParams(window.location.search).has("tz");
    if (isLocal || to - from < LEAST_MS) window.dash_clientside.set_props("shell-brush", { data: texts }); /* for the server, which knows zones */
    else window.dash_clientside.set_props("shell-range", { data: { from: written(from), to: written(to) } });
  }

  function drop() {
    if (brush) brush.box.remove();
    brush = null;
  }

  function keepFromPlotly(event) {
    if (brush && event.type === "mousedown") event.preventDefault(); /* no text is selected */
    if (brush) event.stopPropagation();
  }

  document.addEventListener("pointerdown", begin, true);
  document.addEventListener("pointermove", move, true);
  document.addEventListener("pointerup", end, true);
  document.addEventListener("pointercancel", drop, true);
  document.addEventListener("mousedown", keepFromPlotly, true);
  document.addEventListener("mousemove", keepFromPlotly, true);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") drop(); }, true);
})();
