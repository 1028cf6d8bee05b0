import { h, section, table } from './dom.js';
import { whole } from './format.js';

const order = ['FAIL', 'INCONCLUSIVE', 'PASS', 'NOT_EXERCISED'];
const marks = { PASS: '✓', FAIL: '✕', INCONCLUSIVE: '?', NOT_EXERCISED: '–' };

export function verdictChip(verdict, large = false) {
  return h(large ? 'span.chip.large' : 'span.chip', { 'data-verdict': verdict },
    h('span', { 'aria-hidden': 'true' }, marks[verdict]), verdict.replace('_', ' '));
}

// "18 properties: 17 PASS, 1 FAIL."
export function verdictCounts(r) {
  const counts = order
    .map((verdict) => [verdict, r.properties.filter((p) => p.verdict === verdict).length])
    .filter(([, number]) => number > 0)
    .map(([verdict, number]) => `${number} ${verdict.replace('_', ' ')}`);
  return `${r.properties.length} properties: ${counts.join(', ') || 'none checked'}.`;
}

function row(p) {
  const name = [
    h('div.property-id', null, h('code', null, p.id), p.level ? h('span.level', null, p.level) : null),
    p.title ? h('div.property-title', null, p.title) : null,
    p.note ? h('div.property-note', null, p.note) : null,
  ];
  return h('tr', { 'data-verdict': p.verdict },
    h('td', null, name),
    h('td', null, verdictChip(p.verdict)),
    h('td.number', null, whole(p.antecedents), p.minimum ? h('div.minimum', null, `needs ${whole(p.minimum)}`) : null),
    h(p.violations ? 'td.number.bad' : 'td.number', null, whole(p.violations)));
}

export function properties(r) {
  if (!r.properties.length) return section('Properties', 'No property was checked.');
  const sorted = [...r.properties].sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
  return section('Properties',
    'Checked counts how often the condition came up that the property speaks about. NOT EXERCISED is no pass.',
    table([{ title: 'Property' }, { title: 'Verdict' }, { title: 'Checked', number: true }, { title: 'Violations', number: true }],
      sorted.map(row), 'properties'));
}
