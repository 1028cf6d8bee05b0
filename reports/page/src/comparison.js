// The page of a comparison: two designs on the same seeds.
import { command, h, section, table } from './dom.js';
import { bytes, digits, plain, whole } from './format.js';
import { distributionPlot } from './latencies.js';
import { verdictChip } from './properties.js';

const meanings = {
  PASS: 'B holds what A holds, and no bound is exceeded.',
  FAIL: 'B violates what A holds, or exceeds a bound.',
  INCONCLUSIVE: 'Nothing got worse for certain, but something that had to be checked was not.',
};

const named = { HELD: 'PASS', EXCEEDED: 'FAIL', NOT_JUDGED: 'INCONCLUSIVE' };

// A value in its unit; bytes in KiB and up.
function value(number, unit, signed = false) {
  const sign = number < 0 ? '−' : signed && number > 0 ? '+' : '';
  const size = Math.abs(number);
  return sign + (unit === 'bytes' ? bytes(size) : digits(size));
}

function share(m) {
  if (m.difference === 0) return '';
  if (m.a === 0) return 'new';
  const percent = (100 * m.difference) / Math.abs(m.a);
  const sign = percent < 0 ? '−' : '+';
  return Math.abs(percent) >= 999.5 ? `${sign}>999 %` : `${sign}${Math.abs(percent).toFixed(1)} %`;
}

function side(name, s) {
  return h('div.side', null, h('strong', { class: `side-name side-${name.toLowerCase()}` }, name),
    h('code', null, s.label),
    s.defect ? h('span.muted', null, 'with the seeded defect ', h('code', null, s.defect)) : null,
    s.program ? h('span.muted', null, 'run by ', h('code', null, s.program)) : null);
}

function header(c, seeds) {
  const range = seeds.length > 1 ? `seeds ${seeds[0]} to ${seeds[seeds.length - 1]}` : `seed ${seeds[0] ?? '–'}`;
  const marked = c.measures.filter((m) => m.excludesZero).length;
  return h('header', { 'data-verdict': c.verdict },
    h('div.verdict', null, verdictChip(c.verdict, true),
      h('h1', null, c.scenario, h('span.seed', null, range)), h('span.brand', null, 'Wavetank')),
    h('p.lead', null, meanings[c.verdict]),
    side('A', c.a), side('B', c.b),
    h('p.lead', null, `Both sides run the same seeds and draw the same chance; all differences are B − A. ${marked} of `
      + `${c.measures.length} measures differ by more than chance explains at ${100 * c.confidence} %.`),
    c.command ? command(c.command, 'Reproduce') : null);
}

function changes(c, seeds) {
  const seedText = (seed) => seeds[c.seeds.findIndex((s) => s.seed === seed)] ?? String(seed);
  const sorted = [...c.verdictChanges].sort((x, y) => y.regression - x.regression);
  const notes = [
    ...c.sharedViolations.map((s) => `Violated on both sides: ${s.property}, in ${s.seeds} of ${c.seeds.length} seeds.`),
    ...c.unchecked.map((line) => `Not checked: ${line}`),
  ];
  return section('Verdicts', sorted.length ? 'Properties whose verdict changes, seed by seed.' : 'No property changes its verdict in any seed.',
    sorted.length ? table([{ title: 'Seed', number: true }, { title: 'Property' }, { title: 'A' }, { title: 'B' }, { title: 'What was seen' }],
      sorted.map((v) => [seedText(v.seed), h('code', null, v.property), verdictChip(v.a), verdictChip(v.b), v.note]), 'changes') : null,
    notes.map((note) => h('p.notice', null, note)));
}

function bounds(c) {
  if (!c.bounds.length) return null;
  return section('Bounds', 'Exceeded means: the whole interval of the difference lies above what is allowed.',
    table([{ title: 'Measure' }, { title: 'Per cent of A', number: true }, { title: 'Allowed', number: true }, { title: 'Verdict' }],
      c.bounds.map((b) => [h('code', null, b.measure), plain(b.percent), digits(b.allowed),
        h('span.chip', { 'data-verdict': named[b.verdict] }, b.verdict.replace('_', ' '))])));
}

function firstDifference(c) {
  const first = c.firstDifference;
  if (!first) return null;
  if (!first.different) return section('First difference', 'None: both sides have one history.');
  return section('First difference',
    `Conversation ${first.conversation}, seed ${first.seed}, after ${whole(first.recordsEqual)} equal records; it differs in ${first.members}.`,
    table([{ title: 'Side' }, { title: 'What happens' }], [
      ...first.before.map((line) => [h('span.muted', null, 'both'), h('span.muted', null, line)]),
      [h('strong.side-name.side-a', null, 'A'), first.a], [h('strong.side-name.side-b', null, 'B'), first.b]]));
}

// One figure for each metric, both curves in it; a button for each phase and cohort that has samples on a side.
function curves(c) {
  const metrics = [...new Set(c.latencies.map((pair) => pair.metric))];
  const figures = metrics.map((metric) => {
    const choices = c.latencies.filter((pair) => pair.metric === metric && (pair.a.count || pair.b.count)).map((pair) => ({
      title: `${pair.phase}, ${pair.cohort}`,
      curves: [['A', pair.a], ['B', pair.b]].filter(([, row]) => row.count).map(([label, row]) => ({ label, row, bound: 0 })),
    }));
    return choices.length ? distributionPlot(metric, choices) : null;
  });
  return metrics.length
    ? section('Latency', 'All seeds together, in virtual time: which share was at least as fast. The scale stretches the slow end.',
        h('div.figures', null, figures))
    : null;
}

function measureRow(m) {
  const mark = m.excludesZero ? (m.better === 'neutral' ? 'changed' : m.difference > 0 ? 'worse' : 'better') : '';
  const interval = m.low === null ? h('span.muted', null, 'one seed')
    : `${value(m.low, m.unit, true)} … ${value(m.high, m.unit, true)}`;
  return h('tr', { 'data-mark': mark },
    h('td', null, h('code', null, m.name)), h('td', null, m.unit === 'bytes' ? '' : m.unit),
    h('td.number', null, value(m.a, m.unit)), h('td.number', null, value(m.b, m.unit)),
    h('td.number', null, value(m.difference, m.unit, true)), h('td.number', null, share(m)),
    h('td.number', null, interval), h('td.mark', null, mark));
}

function measures(c) {
  const columns = [{ title: 'Measure' }, { title: 'Unit' }, { title: 'A', number: true }, { title: 'B', number: true },
    { title: 'B − A', number: true }, { title: 'of A', number: true }, { title: `${100 * c.confidence} % interval`, number: true }, { title: '' }];
  const wanted = (show) => c.measures.filter(show).map(measureRow);
  const detail = c.measures.filter((m) => m.detail);
  return section('Measures', 'Means over the seeds. A row is named when its interval excludes zero; of rows that differ by chance alone, '
    + `about ${plain(100 * (1 - c.confidence))} in a hundred are named all the same.`,
  table(columns, wanted((m) => !m.detail), 'measures'),
  detail.length ? h('details', null,
    h('summary', null, `${whole(detail.length)} more: single cohorts, frames by body, the drain, across regions`),
    table(columns, wanted((m) => m.detail), 'measures')) : null);
}

function runs(c, seeds) {
  return section('Runs', null, table(
    [{ title: 'Seed', number: true }, { title: 'A' }, { title: 'B' }, { title: 'Trace of A' }, { title: 'Trace of B' }],
    c.seeds.map((s, i) => [seeds[i], verdictChip(s.a.verdict), verdictChip(s.b.verdict),
      h('code', null, s.a.traceHash), s.a.traceHash === s.b.traceHash ? h('span.muted', null, 'the same') : h('code', null, s.b.traceHash)])));
}

export function comparison(c, seeds) {
  return [header(c, seeds), changes(c, seeds), bounds(c), firstDifference(c), curves(c), measures(c), runs(c, seeds)];
}
