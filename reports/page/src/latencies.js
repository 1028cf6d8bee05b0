import { h, section, segments, table } from './dom.js';
import { digits, latency as latencyText, whole, words } from './format.js';
import { axes, colour, keepPlot, stroke } from './plots.js';

// Highest value of a bucket of the log-linear layout (reports/histogram.hpp), in milliseconds.
function bucketTop(bucket, bits) {
  const half = 2 ** bits;
  const shift = Math.max(0, Math.floor(bucket / half) - 1);
  return ((bucket - shift * half + 1) * 2 ** shift - 1) / 1e6;
}

const floorMs = 0.001;  // a logarithmic axis has no zero
// The share of slower ones on a scale of nines: 0 -> 0, 90 % -> 1, 99 % -> 2.
const nines = (share) => -Math.log10(1 - share);
const shareTicks = [0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999];
const shareText = (share) => `${Number((100 * share).toFixed(4))} %`;

// Points [ms, share] of one histogram; the last one stands half a record below 100 %, which this scale cannot show.
function distribution(row) {
  let seen = 0;
  return row.histogram.buckets.map(([bucket, count]) => {
    seen += count;
    const top = Math.max(floorMs, Math.min(bucketTop(bucket, row.histogram.subBucketBits), row.max));
    return [top, Math.min(seen / row.count, 1 - 0.5 / row.count)];
  });
}

// uPlot wants one x column: the union of all points, each curve a staircase read at each of them.
function aligned(curves) {
  const xs = [...new Set(curves.flatMap((curve) => curve.map(([x]) => x)))].sort((a, b) => a - b);
  const columns = curves.map((curve) => {
    let next = 0;
    let share = 0;
    return xs.map((x) => {
      while (next < curve.length && curve[next][0] <= x) share = curve[next++][1];
      return next === curve.length && x > curve[curve.length - 1][0] ? null : nines(share);
    });
  });
  return [xs, ...columns];
}

function boundLine(bound) {
  return (u) => {
    if (!bound) return;
    const x = u.valToPos(bound, 'x', true);
    const { left, top, width, height } = u.bbox;
    if (x < left || x > left + width) return;
    const context = u.ctx;
    context.save();
    context.strokeStyle = colour('--bad');
    context.fillStyle = colour('--bad');
    context.lineWidth = devicePixelRatio;
    context.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    context.beginPath();
    context.moveTo(x, top);
    context.lineTo(x, top + height);
    context.stroke();
    context.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
    const text = `p99 bound ${latencyText(bound)}`;
    const roomRight = left + width - x > context.measureText(text).width + 10 * devicePixelRatio;
    context.textAlign = roomRight ? 'left' : 'right';
    context.fillText(text, x + (roomRight ? 6 : -6) * devicePixelRatio, top - 7 * devicePixelRatio);
    context.restore();
  };
}

// The diagram of several distributions; `curves` are {label, bound} in the order of the data's columns.
function options(curves, highest) {
  const bound = Math.max(0, ...curves.map((curve) => curve.bound));
  const top = Math.max(2.2, highest * 1.04);
  const splits = shareTicks.map(nines).filter((n) => n <= top);
  return {
    scales: { x: { time: false, distr: 3 }, y: { range: [0, top] } },
    padding: [24, 26, 0, 0],
    axes: axes(latencyText, (n) => shareText(1 - 10 ** -n), {
      y: { splits: () => splits, filter: (_, ticks) => ticks },
      x: { filter: (u, ticks) => ticks.map((t) => (Number.isInteger(Number(Math.log10(t).toFixed(9))) ? t : null)) },
    }),
    cursor: { drag: { x: false, y: false } },
    hooks: { draw: [boundLine(bound)] },
    series: [
      { label: 'latency', value: (_, v) => (v === null ? '' : latencyText(v)) },
      ...curves.map((curve, i) => ({
        label: curve.label, width: 2, ...stroke(i), points: { show: false },
        value: (_, n) => (n === null ? '' : shareText(1 - 10 ** -n)),
      })),
    ],
  };
}

// A plot of distributions. Each choice is {title, curves: [{label, row, bound}]}; a row has count, max and histogram.
export function distributionPlot(title, choices) {
  const box = h('div.plot');
  let chosen = choices[0].curves;
  let data = aligned(chosen.map((curve) => distribution(curve.row)));
  const highest = () => Math.max(...data.slice(1).flat().filter((n) => n !== null));
  const kept = keepPlot(box, 260, () => options(chosen, highest()), data);
  const change = (i) => {
    chosen = choices[i].curves;
    data = aligned(chosen.map((curve) => distribution(curve.row)));
    kept.replace(data);
  };
  return h('figure', null,
    h('figcaption', null, h('strong', null, words(title)), choices.length > 1
      ? segments(choices.map((choice) => words(choice.title)), 0, change) : h('span.muted', null, words(choices[0].title))),
    box);
}

function plotOf(metric, rows) {
  const choices = [...new Set(rows.map((row) => row.cohort))]
    .map((cohort) => ({
      title: cohort,
      curves: rows.filter((row) => row.cohort === cohort && row.count > 0)
        .map((row) => ({ label: row.phase || 'all', row, bound: row.judgedBound })),
    }))
    .filter((choice) => choice.curves.length);
  return choices.length ? distributionPlot(metric, choices) : null;
}

function tableRow(row) {
  const over = row.judgedBound > 0 && row.count > 0 && row.p99 >= row.judgedBound;
  const cell = (value, bad) => h(bad ? 'td.number.bad' : 'td.number', null, row.count ? digits(value) : '–');
  return h('tr', null,
    h('td', null, words(row.phase)), h('td', null, words(row.cohort)),
    h('td.number', null, whole(row.count), row.unfinished ? h('div.minimum', null, `${whole(row.unfinished)} unfinished`) : null),
    cell(row.p50), cell(row.p95), cell(row.p99, over), cell(row.p999), cell(row.max),
    h('td', null, row.judgedBound ? `p99 < ${digits(row.judgedBound)}` : h('span.muted', null, 'reported')));
}

export function latencies(r) {
  if (!r.latencies.length) return null;
  const metrics = [...new Set(r.latencies.map((row) => row.metric))];
  const columns = ['Phase', 'Cohort', 'Count', 'p50', 'p95', 'p99', 'p99.9', 'max', 'Judged']
    .map((title, i) => ({ title, number: i >= 2 && i <= 7 }));
  const rows = metrics.flatMap((metric) => [
    h('tr.group', null, h('th', { colspan: columns.length, scope: 'colgroup' }, words(metric))),
    ...r.latencies.filter((row) => row.metric === metric).map(tableRow),
  ]);
  return section('Latency', 'In milliseconds of virtual time. The curves show which share was at least as fast; the scale '
    + 'stretches the slow end, where the percentiles are.',
  table(columns, rows, 'latencies'),
  h('div.figures', null, metrics.map((metric) => plotOf(metric, r.latencies.filter((row) => row.metric === metric)))));
}
