/* What the dashboard draws with: bars, heatmaps, and the lines and areas of scatter, which the core brings. */
const Plotly = require("plotly.js/lib/core");
Plotly.register([require("./bars"), require("plotly.js/lib/heatmap")]);
module.exports = Plotly;
