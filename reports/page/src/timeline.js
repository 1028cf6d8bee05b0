import uPlot from 'uplot';
import { h, s, section, table } from './dom.js';
import { clock, duration, whole, withUnit, words } from './format.js';
import { axes, axisWidth, colour, keepPlot, rightPadding, stroke } from './plots.js';

// All plots over virtual time share one range; zooming one zooms all, and the bands of the faults with them.
class Range {
  constructor(start, end) {
    this.full = [start, end];
    this.now = [start, end];
    this.listeners = [];
  }

  set(start, end) {
    if (start === this.now[0] && end === this.now[1]) return;
    this.now = [start, end];
    this.listeners.forEach((listener) => listener());
  }
}

function shade(u, start, end, fill) {
  const { left, top, width, height } = u.bbox;
  const from = Math.max(left, u.valToPos(start, 'x', true));
  const to = Math.min(left + width, u.valToPos(end, 'x', true));
  if (to < left || from > left + width) return;
  u.ctx.fillStyle = fill;
  // A fault of a moment must still be seen.
  u.ctx.fillRect(from, top, Math.max(devicePixelRatio, to - from), height);
}

// Behind the lines: the phases as a tint, the faults as bands; overlapping faults add up.
function bands(r) {
  return (u) => {
    u.ctx.save();
    for (const phase of r.phases) {
      if (/recover|heal|liveness/.test(phase.name)) shade(u, phase.startNs / 1e9, phase.endNs / 1e9, colour('--recovery-tint'));
    }
    for (const fault of r.faults) shade(u, fault.startNs / 1e9, fault.endNs / 1e9, colour('--fault-tint'));
    u.ctx.restore();
  };
}

const perSecond = (series) => (series.kind === 'count' ? 1e9 / series.intervalNs : 1);
const unitOf = (series) => (series.kind === 'count' ? `${series.unit} per second` : series.unit);
const rawUnit = (series) => (series.kind === 'count' ? '' : series.unit);
const axisUnit = (series) => (rawUnit(series) === 'per mille' ? 'per cent' : unitOf(series));

// Steps of the time axis in seconds: what a clock face knows.
const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];

function dataOf(list) {
  return uPlot.join(list.map((series) => [
    series.values.map((_, i) => (series.startNs + i * series.intervalNs) / 1e9),
    series.values.map((value) => value * perSecond(series)),
  ]));
}

function lineOptions(list, range, xLabel, hooks) {
  const unit = rawUnit(list[0]);
  return {
    scales: { x: { time: false, range: range ? () => range.now : undefined }, y: { range: (_, low, high) => [Math.min(0, low ?? 0), (high ?? 1) * 1.06 || 1] } },
    axes: axes((t) => clock(t, range && range.now[1] - range.now[0] < 10 ? 1 : 0), (v) => withUnit(v, unit), { x: { incrs: steps } }),
    cursor: range ? { sync: { key: 'time' }, drag: { x: true, y: false, setScale: false } } : { drag: { x: false, y: false } },
    legend: { live: true },
    hooks,
    series: [
      { label: xLabel, value: (_, v) => (v === null ? '' : clock(v)) },
      ...list.map((series, i) => ({
        label: words(series.name), width: 1.75, ...stroke(i), points: { show: false }, spanGaps: true,
        value: (_, v) => (v === null || v === undefined ? '' : withUnit(v, unit)),
      })),
    ],
  };
}

function timePlot(r, title, list, range) {
  const box = h('div.plot');
  const select = (u) => {
    if (u.select.width < 4) return;
    range.set(u.posToVal(u.select.left, 'x'), u.posToVal(u.select.left + u.select.width, 'x'));
    u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  };
  const kept = keepPlot(box, 190, () => lineOptions(list, range, 'time', { drawClear: [bands(r)], setSelect: [select] }), dataOf(list));
  range.listeners.push(() => {
    const plot = kept.plot();
    if (plot) plot.setScale('x', { min: range.now[0], max: range.now[1] });
  });
  return h('figure', null, h('figcaption', null, h('strong', null, words(title)), axisUnit(list[0]) === words(title) ? null : h('span.muted', null, axisUnit(list[0]))), box);
}

// Faults as numbered bars in as few rows as possible without overlap.
function pack(faults) {
  const ends = [];
  return faults.map((fault) => {
    let row = ends.findIndex((end) => end <= fault.startNs);
    if (row < 0) row = ends.length;
    ends[row] = fault.endNs;
    return row;
  });
}

function ribbon(r, range) {
  const box = h('div.ribbon', { role: 'img', 'aria-label': 'Phases and faults over virtual time' });
  const barHeight = 18;
  const phaseHeight = 22;
  const draw = () => {
    const width = Math.max(240, box.clientWidth);
    const plotWidth = width - axisWidth - rightPadding;
    const [start, end] = range.now;
    const at = (ns) => axisWidth + plotWidth * Math.min(1, Math.max(0, (ns / 1e9 - start) / (end - start)));
    const shown = (item) => item.endNs / 1e9 >= start && item.startNs / 1e9 <= end;
    // A bar needs room for its number, so bars are packed by what they take on the screen.
    const minimum = 17;
    const extents = r.faults.map((f) => ({ startNs: at(f.startNs), endNs: Math.max(at(f.endNs), at(f.startNs) + minimum) + 2 }));
    const rows = pack(extents.map((e, i) => (shown(r.faults[i]) ? e : { startNs: Infinity, endNs: 0 })));
    const height = phaseHeight + (Math.max(-1, ...rows.filter((_, i) => shown(r.faults[i]))) + 1) * (barHeight + 3) + 4;
    const phases = r.phases.filter(shown).map((phase) => {
      const x = at(phase.startNs);
      const w = Math.max(1, at(phase.endNs) - x);
      return s('g.phase', { 'data-phase': phase.name },
        s('rect', { x, y: 0, width: w, height: phaseHeight - 4 }),
        w > phase.name.length * 7 + 8 ? s('text', { x: x + w / 2, y: 13, 'text-anchor': 'middle' }, words(phase.name)) : null,
        s('title', null, `${phase.name}: ${clock(phase.startNs / 1e9)} to ${clock(phase.endNs / 1e9)}`));
    });
    const bars = r.faults.map((fault, i) => shown(fault) && s('g.fault', null,
      s('rect', { x: extents[i].startNs, y: phaseHeight + rows[i] * (barHeight + 3), width: extents[i].endNs - extents[i].startNs - 2, height: barHeight, rx: 3 }),
      s('text', { x: (extents[i].startNs + extents[i].endNs - 2) / 2, y: phaseHeight + rows[i] * (barHeight + 3) + 13, 'text-anchor': 'middle' }, String(i + 1)),
      s('title', null, `${i + 1}. ${fault.name}: ${fault.kind} on ${fault.target}, ${clock(fault.startNs / 1e9)} to ${clock(fault.endNs / 1e9)}`)));
    box.replaceChildren(s('svg', { width, height }, phases, bars));
  };
  new ResizeObserver(draw).observe(box);
  range.listeners.push(draw);
  return box;
}

function faultTable(r) {
  return table([{ title: '#', number: true }, { title: 'Fault' }, { title: 'Kind' }, { title: 'Target' }, { title: 'From', number: true }, { title: 'Lasts', number: true }],
    r.faults.map((f, i) => [whole(i + 1), f.name, words(f.kind), f.target, clock(f.startNs / 1e9), duration(f.endNs - f.startNs)]));
}

export function overTime(r) {
  const plots = new Map();
  for (const series of r.series) {
    if (!series.values.length) continue;
    const title = series.plot || series.name;
    plots.set(title, [...(plots.get(title) ?? []), series]);
  }
  if (!plots.size && !r.faults.length) return null;
  const last = Math.max(r.mergedFrom.length ? 0 : r.virtualNs, ...r.series.map((x) => x.startNs + x.intervalNs * Math.max(0, x.values.length - 1)), ...r.faults.map((f) => f.endNs), 1e9);
  const range = new Range(0, last / 1e9);
  const reset = h('button.reset', { type: 'button', hidden: '', onclick: () => range.set(...range.full) }, 'Show the whole run');
  range.listeners.push(() => { reset.hidden = range.now[0] === range.full[0] && range.now[1] === range.full[1]; });
  return section('Over virtual time', 'Shaded bands are faults, numbered as in the list below. Drag across a plot to zoom all of them.',
    reset,
    r.phases.length || r.faults.length ? ribbon(r, range) : null,
    h('div.figures.wide', null, [...plots].map(([title, list]) => timePlot(r, title, list, range))),
    r.faults.length ? [h('h3', null, 'Faults'), faultTable(r)] : null);
}

export function reconnects(r) {
  const curves = r.reconnectCurves.filter((curve) => curve.values.length);
  if (!curves.length) return null;
  const box = h('div.plot');
  keepPlot(box, 230, () => lineOptions(curves, null, 'since the disconnect', {}), dataOf(curves));
  return section('Reconnect curve', 'Devices connected again, over the time since a mass disconnect.',
    h('figure', null, h('figcaption', null, h('span.muted', null, axisUnit(curves[0]))), box));
}
