import { command, h } from './dom.js';
import { bytes, duration, whole } from './format.js';
import { verdictChip, verdictCounts } from './properties.js';

const meanings = {
  PASS: 'Everything that had to be checked was checked and holds.',
  FAIL: 'At least one property is violated.',
  INCONCLUSIVE: 'No violation was seen, but something that had to be checked was not.',
};

function fact(value, label) {
  return h('div.fact', null, h('dd', null, value), h('dt', null, label));
}

function identity(label, value) {
  return value ? h('div', null, h('dt', null, label), h('dd', null, h('code', null, value))) : null;
}

export function header(r) {
  const merged = r.mergedFrom.length;
  return h('header', { 'data-verdict': r.verdict },
    h('div.verdict', null,
      verdictChip(r.verdict, true),
      h('h1', null, r.scenario, h('span.seed', null, merged ? `${merged} runs merged` : `seed ${r.seedText}`)),
      h('span.brand', null, 'Wavetank')),
    h('p.lead', null, meanings[r.verdict], ' ', verdictCounts(r)),
    r.engineError ? h('p.alert', null, h('strong', null, 'Engine error. '), r.engineError) : null,
    r.defect ? h('p.notice', null, 'Run with the seeded defect ', h('code', null, r.defect), ', a bug put in on purpose.') : null,
    h('dl.facts', null,
      fact(duration(r.virtualNs), 'virtual time'),
      fact(duration(r.wallNs), 'real time'),
      fact(whole(r.events), `events, ${whole(r.eventsPerSecond)}/s`),
      fact(whole(r.messagesSent), 'messages sent'),
      fact(whole(r.deliveries), 'deliveries'),
      fact(whole(r.users), 'users'),
      fact(whole(r.devices), 'devices'),
      fact(whole(r.conversations), 'conversations'),
      merged ? fact(whole(merged), 'runs') : fact(whole(r.faults.length), 'faults injected'),
      fact(bytes(r.peakRssBytes), 'peak memory')),
    r.command ? command(r.command, 'Reproduce') : null,
    h('dl.hashes', null,
      identity('trace', r.traceHash), identity('history', r.historyHash), identity('scenario', r.scenarioDigest)));
}
