import { h, section, table } from './dom.js';
import { plain, whole, withUnit } from './format.js';
import { verdictChip } from './properties.js';

// Bars for counts that range over orders of magnitude: the bar shows the share of the whole, the number says the rest.
function bars(entries, total) {
  return h('ol.bars', null, entries.map(([name, value]) =>
    h('li', null,
      h('span.bar-name', null, name),
      h('span.bar-value', null, whole(value), h('span.bar-share', null, `${((100 * value) / total).toFixed(1)} %`)),
      h('span.bar', { 'aria-hidden': 'true' }, bar(value / total)))));
}

const percent = (share) => (Number.isFinite(share) ? `${plain(100 * share)} %` : '–');

function bar(share) {
  const fill = h('span');
  fill.style.width = `${Math.max(0.2, 100 * share)}%`;
  return fill;
}

export function counts(r) {
  const kinds = Object.entries(r.eventsByKind).filter(([, value]) => value > 0).sort((a, b) => b[1] - a[1]);
  const total = kinds.reduce((sum, [, value]) => sum + value, 0);
  return [
    kinds.length ? section('Events by kind', `${whole(total)} events.`, bars(kinds, total)) : null,
    r.resources.length
      ? section('Resources', null, table([{ title: 'Resource' }, { title: 'Value', number: true }, { title: 'Unit' }],
          r.resources.map((c) => [c.name, c.unit === 'bytes' ? withUnit(c.value, c.unit) : whole(c.value), c.unit])))
      : null,
    r.load.length
      ? section('Load', 'Share of virtual time in which nodes were busy; the peak is the busiest node in the busiest interval.',
          table([{ title: 'Role' }, { title: 'Nodes', number: true }, { title: 'Busy', number: true }, { title: 'Peak', number: true },
            { title: 'Longest inbox', number: true }],
          r.load.map((l) => [l.role, whole(l.nodes), percent(l.busyNs / (l.nodes * r.virtualNs)), percent(l.busyPeakPpm / 1e6),
            whole(l.inboxPeak)])))
      : null,
    r.frames.length
      ? section('Frames', 'What the links carried, by body, with exact encoded sizes.',
          table([{ title: 'Links' }, { title: 'Body' }, { title: 'Frames', number: true }, { title: 'Bytes', number: true }],
            [...r.frames].sort((x, y) => y.bytes - x.bytes).map((f) => [f.link, h('code', null, f.body), whole(f.frames), withUnit(f.bytes, 'bytes')])))
      : null,
  ];
}

export function conditions(r) {
  const fidelity = r.fidelity;
  const environment = r.environment;
  return [
    r.factors.length
      ? section('Factors', 'Every factor by which real data was compressed or scaled.',
          table([{ title: 'Factor' }, { title: 'Value', number: true }, { title: 'Source' }],
            r.factors.map((f) => [f.name, f.value, f.source])))
      : null,
    section('Fidelity', 'What was simulated how closely, and what may be claimed from it.',
      h('dl.pairs', null,
        h('dt', null, 'wire'), h('dd', null, fidelity.wire || 'not stated'),
        h('dt', null, 'store'), h('dd', null, fidelity.store || 'not stated')),
      fidelity.claims.length ? h('ul.claims', null, fidelity.claims.map((claim) => h('li', null, claim))) : null),
    r.mergedFrom.length
      ? section('Merged runs', null, table(
          [{ title: 'Scenario' }, { title: 'Seed', number: true }, { title: 'Verdict' }, { title: 'Trace hash' }, { title: 'History hash' }],
          r.mergedFrom.map((m, i) => [m.scenario, r.mergedSeedTexts[i] ?? String(m.seed), verdictChip(m.verdict),
            h('code', null, m.traceHash), h('code', null, m.historyHash)])))
      : null,
    section('Environment', 'Where it ran. Only real time and memory depend on it.',
      h('dl.pairs', null,
        h('dt', null, 'compiler'), h('dd', null, environment.compiler || 'not stated'),
        h('dt', null, 'build'), h('dd', null, environment.build || 'not stated'),
        h('dt', null, 'machine'), h('dd', null, environment.machine || 'not stated'))),
  ];
}
