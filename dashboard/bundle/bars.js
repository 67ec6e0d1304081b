/* Plotly's bars, drawn by one path for each trace and shade: an element for each bar cost a browser more than all else
   of a chart. Places, stacking, hover and range stay Plotly's; bars that hold more than a colour are drawn by it too. */
"use strict";
const bar = require("plotly.js/lib/bar");
const d3 = require("@plotly/d3");
const Drawing = require("plotly.js/src/components/drawing");
const Lib = require("plotly.js/src/lib");

const THIN_PX = 2; /* a bar thinner than that is widened to whole pixels, or it might not be seen */

function isPlain(cd) {
  const { cornerradius, error_y, marker, orientation, selectedpoints, text, texttemplate } = cd[0].trace;
  const hasMore = cornerradius || (error_y && error_y.visible) || marker.line.width || selectedpoints || text || texttemplate;
  return orientation === "v" && !hasMore && !Array.isArray(marker.color) && !cd[0].t.cornerradiusvalue;
}

function visible(from, to) {
  if (Math.abs(from - to) >= THIN_PX) return Math.round(from * 100) / 100;
  return from > to ? Math.ceil(from) : Math.floor(from);
}

/* Return what draws a trace: for each shade its opacity, and the bars that have it as one path. */
function shades(cd, { xaxis, yaxis }) {
  const opacity = cd[0].trace.marker.opacity;
  const paths = new Map();
  for (const bar of cd) {
    const [left, right] = [bar.p0, bar.p1].map((place) => xaxis.c2p(place, true));
    const [low, high] = [bar.s0, bar.s1].map((size) => yaxis.c2p(size, true));
    const area = (right - left) * (low - high);
    if (!area || Number.isNaN(area)) continue;
    const shade = bar.mo === undefined ? opacity : bar.mo;
    const sides = `V${visible(high, low)}H${visible(right, left)}V${visible(low, high)}Z`;
    paths.set(shade, (paths.get(shade) || "") + `M${visible(left, right)},${visible(low, high)}` + sides);
  }
  return [...paths].map(([shade, path]) => ({ shade, path }));
}

function plot(gd, plotinfo, cdModule, traceLayer) {
  const isOurs = cdModule.every(isPlain);
  traceLayer.selectAll(isOurs ? "g.point" : "path.shade").remove();
  if (!isOurs) return bar.plot.apply(this, arguments);
  Lib.makeTraceGroups(traceLayer, cdModule, "trace bars").each(function (cd) {
    const group = d3.select(this);
    const drawn = Lib.ensureSingle(group, "g", "points").selectAll("path.shade").data(shades(cd, plotinfo));
    drawn.enter().append("path").classed("shade", true);
    drawn.exit().remove();
    drawn
      .attr("d", (of) => of.path)
      .style({ fill: cd[0].trace.marker.color, opacity: (of) => of.shade, "stroke-width": 0 });
    Drawing.setClipUrl(group, cd[0].trace.cliponaxis === false ? null : plotinfo.layerClipId, gd);
  });
}

function style(gd) {
  const groups = d3.select(gd).selectAll("g.barlayer g.trace");
  if (groups.selectAll("path.shade").empty()) return bar.style(gd);
  groups.style("opacity", (cd) => cd[0].trace.opacity).attr("shape-rendering", "crispEdges");
}

module.exports = Object.assign({}, bar, { plot, style });
