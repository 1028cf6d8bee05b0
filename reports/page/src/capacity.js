// The planner's page: what is wanted, what it takes, what limits it, what it costs, what of it was measured.
import { command, h, section, table } from './dom.js';
import { digits, latency as latencyText, plain } from './format.js';
import { axes, colour, keepPlot, stroke } from './plots.js';
import { verdictChip } from './properties.js';

const meanings = {
  PASS: 'Every objective of the sheet holds.',
  FAIL: 'An objective of the sheet is missed.',
  INCONCLUSIVE: 'No objective is missed, but one was not looked at.',
};

const prefixes = ['', 'k', 'M', 'G', 'T', 'P', 'E'];

// Three digits with a decimal prefix: 1.79 M.
function short(value, unit = '') {
  if (value === null) return 'unlimited';
  let prefix = 0;
  let size = value;
  while (Math.abs(size) >= 999.5 && prefix + 1 < prefixes.length) { size /= 1000; prefix += 1; }
  return `${plain(size)} ${prefixes[prefix]}${unit}`.trim();
}
// Whole numbers in full up to a million.
const count = (value) => (Math.abs(value) < 1e6 && Math.abs(value) >= 100 ? digits(value) : short(value));
const bytes = (value) => short(value, 'B');
const bits = (value) => short(8 * value, 'bit/s');
const percent = (share) => `${plain(100 * share)} %`;

function seconds(value) {
  if (value === null) return 'never';
  if (value < 1e-3) return `${plain(value * 1e6)} µs`;
  if (value < 1) return `${plain(value * 1e3)} ms`;
  if (value < 100) return `${plain(value)} s`;
  if (value < 6000) return `${plain(value / 60)} min`;
  return value < 172800 ? `${plain(value / 3600)} h` : `${plain(value / 86400)} days`;
}

const fact = (value, label) => h('div.fact', null, h('dd', null, value), h('dt', null, label));
const pairs = (rows) => table([{ title: '' }, { title: '', number: true }, { title: '' }], rows, 'figures-of');
const holds = (good) => (good ? h('span', null, 'fits') : h('span.bad', null, 'too little'));

function header(c) {
  const assumed = c.inputs.filter((n) => n.origin === 'assumption').length;
  return h('header', { 'data-verdict': c.verdict },
    h('div.verdict', null, verdictChip(c.verdict, true), h('h1', null, c.name, h('span.seed', null, 'capacity')),
      h('span.brand', null, 'Wavetank')),
    h('p.lead', null, c.description ? `${c.description.replace(/[.\s]*$/, '')}. ` : '', meanings[c.verdict]),
    h('dl.facts', null,
      fact(short(c.mau), 'monthly users'),
      fact(short(c.demand.eventConnections), 'connections, event peak'),
      fact(`${short(c.demand.sendsEvent)}/s`, 'messages sent, event peak'),
      fact(`${short(c.demand.deliveriesEvent)}/s`, 'to devices, event peak'),
      fact(`${short(c.demand.heartbeats)}/s`, 'heartbeats'),
      fact(count(c.gateways.nodes), 'gateways'),
      fact(count(c.shards.nodes), 'shard nodes'),
      fact(bytes(c.storage.hotStored), 'hot data, all copies'),
      fact(digits(c.cost.perMillionMau), 'a month, by million monthly users'),
      fact(`${assumed} of ${c.inputs.length}`, 'numbers are assumptions')),
    c.command ? command(c.command, 'Reproduce') : null);
}

function checks(c) {
  return section('Objectives', null, table([{ title: 'Objective' }, { title: 'Verdict' }, { title: 'What was reckoned or simulated' }],
    c.checks.map((check) => [check.name, verdictChip(check.verdict), check.text]), 'checks'));
}

const origins = { source: 'source', measured: 'by this project', assumption: 'assumption' };
const amount = (value) => (Math.abs(value) >= 1e5 ? short(value) : plain(value));

function inputs(c) {
  const groups = [...new Set(c.inputs.map((n) => n.path.split('.')[0]))];
  const columns = [{ title: 'Number' }, { title: 'Value', number: true }, { title: 'Unit' }, { title: 'Low to high', number: true },
    { title: 'From' }, { title: 'Reason' }];
  return section('1 Inputs', 'Every number of the sheet and where it comes from. An assumption is what it says: nobody measured it. By this project means measured on the machine or simulated as the reason says.',
    table(columns, groups.flatMap((group) => [
      h('tr.group', null, h('th', { colspan: columns.length, scope: 'colgroup' }, group)),
      ...c.inputs.filter((n) => n.path.split('.')[0] === group).map((n) => h('tr', null,
        h('td', { title: n.path }, n.text), h('td.number', null, amount(n.value)), h('td', null, n.unit),
        h('td.number', null, n.low === null && n.high === null ? '' : `${amount(n.low ?? n.value)} … ${amount(n.high ?? n.value)}`),
        h('td', null, h('span.origin', { 'data-origin': n.origin }, origins[n.origin])), h('td.reason', null, n.reason))),
    ]), 'inputs'));
}

function gateways(c) {
  const g = c.gateways;
  const most = Math.max(...g.limits.map((l) => l.connections));
  return section('2 Gateways', `A gateway holds as many connections as its scarcest resource allows: here ${count(g.perNode)}, by ${g.binding}. `
    + 'The bars are on a logarithmic scale.',
  h('ol.bars', null, g.limits.map((limit) => {
    const fill = h('span');
    fill.style.width = `${Math.max(0.5, (100 * Math.log10(limit.connections + 1)) / Math.log10(most + 1))}%`;
    return h('li', null, h('span.bar-name', null, limit.name === g.binding ? h('strong', null, limit.name) : limit.name,
      h('div.muted', null, limit.how)),
    h('span.bar-value', null, count(limit.connections)), h('span.bar', { 'aria-hidden': 'true' }, fill));
  })),
  pairs([
    ['for the event peak, everything up', count(g.forLoad), 'gateways in a region'],
    ['so that enough are left when a zone is gone', g.forZone ? count(g.forZone) : 'not asked for', ''],
    ['so that the others take over a lost region, each 1/(n-1) of it', g.forRegion ? count(g.forRegion) : 'not asked for', ''],
    ['spare', count(g.spare), 'on top of the largest of these'],
    [h('strong', null, 'in a region; in all'), h('strong', null, `${count(g.perRegion)}; ${count(g.nodes)}`), c.regions === 1 ? 'one region' : `${count(c.regions)} regions`],
    ['heartbeats; logins, with the mean length of a connection', `${short(c.demand.heartbeats)}/s; ${short(c.demand.logins)}/s`, 'all gateways'],
    ['a region that was cut off is back in', seconds(g.allBackS), 'nobody is connected, all processors take logins'],
  ]));
}

function shards(c) {
  const s = c.shards;
  return section('3 Conversation shards', 'The busiest shard decides, not the mean one. Model: in a region the k-th busiest of its conversations '
    + 'has a share of the messages in proportion to k to minus the exponent (Zipf), or the hottest has what the sheet says; each conversation lies on a '
    + 'shard at random. The busiest share is a bound that is exceeded with the sheet’s risk only: for one shard Chernoff’s bound over the shares as they '
    + 'are, over all shards the union bound. Work at recipients’ shards spreads with the users and is taken as even.',
  pairs([
    ['messages; appends to logs and feeds; to devices, event peak', `${short(c.demand.sendsEvent)}/s; ${short(c.demand.sendsEvent * (1 + c.demand.recipients))}/s; ${short(c.demand.deliveriesEvent)}/s`, 'all regions'],
    ['recipients of a message; pushes to devices', `${plain(c.demand.recipients)}; ${plain(c.demand.deviceCopies)}`, 'mean'],
    ['time of a message at its conversation’s shard; at its recipients’', `${plain(s.logUs)} µs; ${plain(s.feedUs)} µs`, 'a shard has one processor'],
    ['conversations of a region', short(s.conversations), 'on a day'],
    ['hottest conversation', `${percent(s.hottestShare)}; ${plain(s.hottestPerS)}/s`, `keeps ${percent(s.hottestBusy)} of one shard busy; it cannot be split`],
    ['shards in a region', count(s.perRegion), s.feasible ? '' : 'no number is enough for the hottest conversation: a lower bound'],
    ['share of the busiest shard; mean', `${percent(s.busiestShare)}; ${percent(s.meanShare)}`, `${plain(s.busiestShare / s.meanShare)} times the mean`],
    ['processor of the busiest shard; mean', `${percent(s.busiestBusy)}; ${percent(s.meanBusy)}`, 'event peak, everything up'],
    ['nodes in a region by shards; by disk; spare', `${count(s.nodesForShards)}; ${count(s.nodesForDisk)}; ${count(s.spare)}`, ''],
    [h('strong', null, 'shard nodes in a region; in all'), h('strong', null, `${count(s.nodesPerRegion)}; ${count(s.nodes)}`), ''],
  ]));
}

function storage(c) {
  const s = c.storage;
  return section('4 Storage', 'Bytes of one copy unless it says otherwise.', pairs([
    ['of a message: log; feeds of its recipients', `${bytes(s.logBytes)}; ${bytes(s.feedBytes)}`, 'indices and tombstones included'],
    ['hot: logs; feeds; keys against duplicates', `${bytes(s.hotLog)}; ${bytes(s.hotFeed)}; ${bytes(s.hotDedup)}`, ''],
    ['hot: one copy; all copies', `${bytes(s.hot)}; ${bytes(s.hotStored)}`, `${count(s.copies)} copies`],
    ['cold', bytes(s.cold), 'once the retention is full'],
    ['growth: day; month; year', `${bytes(s.growthDay)}; ${bytes(s.growthDay * 365 / 12)}; ${bytes(s.growthDay * 365)}`, 'all copies, until something is dropped'],
    ['media: day; kept', `${bytes(s.mediaPerDay)}; ${bytes(s.media)}`, ''],
    ['a shard node holds', bytes(s.nodeBytes), ''],
    ['restoring one node; a region’s hot data through one stream', `${seconds(s.restoreNodeS)}; ${seconds(s.restoreRegionS)}`, 'bytes over throughput'],
  ]));
}

function network(c) {
  const n = c.network;
  return section('5 Network', 'At the event peak. Each frame is one packet, an upper bound.', pairs([
    ['around each frame: web socket, TLS, TCP and IP', bytes(n.overhead), ''],
    ['from devices: all; one gateway', `${bits(n.ingress)}; ${bits(n.nodeIngress)}`, `${percent(n.heartbeatShare)} of it heartbeats`],
    ['to devices: all; one gateway', `${bits(n.egress)}; ${bits(n.nodeEgress)}`, ''],
    ['between regions', bits(n.crossRegion), 'recipients elsewhere and copies'],
    ['media to devices', bits(n.mediaEgress), 'from the content network'],
    ['a usual month: to devices; between regions; media', `${bytes(n.egressPerMonth)}; ${bytes(n.crossRegionPerMonth)}; ${bytes(n.mediaPerMonth)}`, ''],
  ]));
}

function sloLine(slo) {
  return (u) => {
    const y = u.valToPos(slo, 'y', true);
    const { left, top, width, height } = u.bbox;
    if (!(y >= top && y <= top + height)) return;
    const context = u.ctx;
    context.save();
    context.strokeStyle = colour('--bad');
    context.fillStyle = colour('--bad');
    context.lineWidth = devicePixelRatio;
    context.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    context.beginPath();
    context.moveTo(left, y);
    context.lineTo(left + width, y);
    context.stroke();
    context.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
    context.textAlign = 'left';
    context.fillText(`p99 bound ${latencyText(slo)}`, left + 6 * devicePixelRatio, y - 5 * devicePixelRatio);
    context.restore();
  };
}

function sweepPlot(sweep, state) {
  const box = h('div.plot');
  const names = [['p50', 'p50Ms'], ['p95', 'p95Ms'], ['p99', 'p99Ms'], ['p99.9', 'p999Ms']];
  const data = [state.points.map((p) => p.offered), ...names.map(([, key]) => state.points.map((p) => Math.max(0.001, p[key])))];
  keepPlot(box, 260, () => ({
    scales: { x: { time: false, range: (_, low, high) => [0, high * 1.05] }, y: { distr: 3 } },
    axes: axes((x) => `${short(x)}/s`, latencyText, {
      y: { filter: (_, ticks) => ticks.map((t) => (Number.isInteger(Number(Math.log10(t).toFixed(9))) ? t : null)) },
    }),
    cursor: { drag: { x: false, y: false } },
    hooks: { draw: [sloLine(sweep.sloMs)] },
    series: [
      { label: 'offered', value: (_, v) => (v === null ? '' : `${short(v)}/s`) },
      ...names.map(([label], i) => ({ label, width: 2, ...stroke(i), points: { show: true, size: 6 }, value: (_, v) => (v === null ? '' : latencyText(v)) })),
    ],
  }), data);
  return h('figure', null, h('figcaption', null, h('strong', null, state.name),
    h('span.muted', null, state.knee < 0 ? 'the knee lies below the smallest load'
      : `knee ${state.beyond ? 'at least ' : ''}${short(state.points[state.knee].offered)}/s`)), box);
}

function sweepRows(state) {
  return [h('tr.group', null, h('th', { colspan: 12, scope: 'colgroup' }, state.name)),
    ...state.points.map((p, i) => h('tr', { 'data-mark': i === state.knee ? 'better' : '' },
      [plain(p.factor), `${short(p.offered)}/s`, digits(p.samples), plain(p.p50Ms), plain(p.p95Ms),
        p.inTime ? plain(p.p99Ms) : h('span.bad', null, plain(p.p99Ms)), plain(p.p999Ms), percent(p.gatewayBusy), percent(p.shardBusy),
        plain(Math.max(p.shardInbox, p.gatewayInbox)), p.stable ? percent(Math.max(0, p.growth)) : h('span.bad', null, percent(p.growth))]
        .map((cell) => h('td.number', null, cell)),
      h('td.mark', null, i === state.knee ? 'knee' : p.violated.length ? `violates ${p.violated.join(', ')}` : '')))];
}

function sweep(c) {
  const s = c.sweep;
  if (!s) return section('6 Latency knee', 'Not simulated: the sheet has no sweep, or it was left out.');
  const columns = ['Load', 'Offered', 'Samples', 'p50', 'p95', 'p99', 'p99.9', 'Gateways', 'Shards', 'Longest inbox', 'Growth', '']
    .map((title, i) => ({ title, number: i < 11 }));
  return section('6 Latency knee', `${s.metric} of ${s.scenario} in ms, ${s.seeds === 1 ? 'seed 1' : `seeds 1 to ${s.seeds}`}, open loop: people send whether or not the service keeps up. `
    + `The knee is the last load before one whose p99 is above ${plain(s.sloMs)} ms or whose queue grows. Busy counts waiting for the disk, too: `
    + 'commits are shared the more the busier a shard is, so 100 % is no knee. Simulated, not measured on sockets.',
  h('div.figures', null, s.states.map((state) => sweepPlot(s, state))),
  h('div.gap', null, table(columns, s.states.flatMap(sweepRows), 'latencies')),
  command(s.command, 'First run'));
}

function headroom(c) {
  const columns = [{ title: 'With' }, { title: 'On a gateway', number: true }, { title: 'of its limit', number: true },
    { title: 'Processors', number: true }, { title: 'Busiest shard', number: true }, { title: 'Cut off', number: true }, { title: 'Back in', number: true }, { title: '' }];
  const swept = c.sweep ? c.sweep.states.slice(1).filter((state) => state.points.length) : [];
  const up = c.sweep?.states[0];
  const rateAt = (state) => (state.knee < 0 ? 0 : state.points[state.knee].offered);
  return section('7 Headroom', 'Reckoned at the event peak: connections of a gateway, its processors in use, the processor of the busiest shard, connections cut off at once. Those who were cut off come back as fast as the processors that the others leave free take logins; '
    + 'all of them wait at the door at first.',
  table(columns, c.headroom.map((s) => (s.served
    ? [s.name, count(s.connectionsPerNode), percent(s.gatewayShare), percent(s.gatewayBusy), percent(s.shardBusy),
      s.lostConnections ? short(s.lostConnections) : '', s.lostConnections ? seconds(s.backS) : '', holds(s.fits)]
    : [s.name, '', '', '', '', s.lostConnections ? short(s.lostConnections) : '', '', h('span.bad', null, 'nobody takes over')])), 'headroom'),
  swept.length && rateAt(up) ? h('p.lead.gap', null, 'Simulated: ', swept.map((state, i) => [i ? '; ' : '',
    `with ${state.name} the knee is at ${short(rateAt(state))}/s of ${short(rateAt(up))}/s (${percent(rateAt(state) / rateAt(up))})`]),
    '. Offered is what people want to send, also those who are still on their way back to a connection: their share loads nothing yet.') : null);
}

function tornado(c) {
  const rows = c.cost.sensitivities.slice(0, 5);
  if (!rows.length) return null;
  const middle = c.cost.perMillionMau;
  const low = Math.min(...rows.map((r) => Math.min(r.costAtLow, r.costAtHigh)), middle);
  const high = Math.max(...rows.map((r) => Math.max(r.costAtLow, r.costAtHigh)), middle);
  const at = (value) => (high > low ? (100 * (value - low)) / (high - low) : 50);
  return h('div.tornado', null, rows.map((r) => {
    const from = at(Math.min(r.costAtLow, r.costAtHigh));
    const to = at(Math.max(r.costAtLow, r.costAtHigh));
    const input = c.inputs.find((n) => n.path === r.path);
    const bar = h('span.tornado-bar');
    bar.style.left = `${from}%`;
    bar.style.width = `${Math.max(0.3, to - from)}%`;
    const line = h('span.tornado-middle');
    line.style.left = `${at(middle)}%`;
    return h('div.tornado-row', null,
      h('div', null, h('code', null, r.path), h('div.muted', null, `${input?.text ?? ''}: ${amount(r.low)} … ${amount(r.high)}${r.ownRange ? '' : ' (by the sheet’s percentage)'}`)),
      h('div.tornado-track', { 'aria-hidden': 'true' }, bar, line),
      h('div.number', null, `${digits(Math.min(r.costAtLow, r.costAtHigh))} … ${digits(Math.max(r.costAtLow, r.costAtHigh))}`));
  }));
}

function cost(c) {
  const k = c.cost;
  return section('8 Cost', 'By month, in the sheet’s currency, with its prices: machines, storage and traffic; no people, no licences.',
    table([{ title: 'For' }, { title: 'A month', number: true }, { title: 'Share', number: true }],
      [...k.lines.map((line) => [line.name, digits(line.perMonth), percent(line.perMonth / k.perMonth)]),
        h('tr', null, h('td', null, h('strong', null, 'all')), h('td.number', null, h('strong', null, digits(k.perMonth))), h('td.number', null, ''))]),
    h('dl.facts.three', null, fact(digits(k.perMillionMau), 'by million monthly users'), fact(plain(k.perMillionMessages), 'by million messages'),
      fact(`${digits(k.bandLow)} … ${digits(k.bandHigh)}`, 'band, by million monthly users')),
    h('p.lead', null, 'The five numbers that move the cost of a million monthly users most, each varied alone within its range. The band adds the squares of all '
      + 'single moves: it holds if they are independent and add up, and is no confidence interval, as ranges are judgements.'),
    tornado(c));
}

function calibration(c) {
  const k = c.calibration;
  return section('9 Calibration', 'What a plan asks of one node, and how far something was measured or simulated. Do not extrapolate beyond: there only comparisons of plans '
    + 'hold (with or without jitter, one shard more), not absolute numbers.',
  table([{ title: 'Quantity' }, { title: 'Planned', number: true }, { title: 'Calibrated up to', number: true }, { title: '' }, { title: 'By what' }],
    k.reach.map((r) => [r.text, `${short(r.planned)} ${r.unit}`, r.upTo ? `${short(r.upTo)} ${r.unit}` : '–',
      r.beyond ? h('span.bad', null, r.upTo ? `${plain(r.planned / r.upTo)} times beyond` : 'not calibrated') : 'inside', r.reason]), 'reach'),
  k.shardTime ? h('p.lead.gap', null, `Formula against simulation: a direct message occupies shards for ${plain(k.shardTime.reckonedUs)} µs by the sheet, for at most `
    + `${plain(k.shardTime.simulatedUs)} µs at the simulated knee (${k.shardTime.error < 0 ? '−' : '+'}${percent(Math.abs(k.shardTime.error))}).`) : null,
  k.comparisons.length
    ? h('div.gap', null, table([{ title: 'On real sockets' }, { title: 'Scenario' }, { title: 'Simulated', number: true }, { title: 'Measured', number: true }, { title: 'Error', number: true }, { title: 'How' }],
        k.comparisons.map((x) => [`${x.quantity} (${x.unit})`, x.scenario, plain(x.simulated), plain(x.measured), percent(x.error), x.reason])))
    : h('p.notice.gap', null, 'No run on real sockets is in this sheet: nothing here says how far the simulator is off.'));
}

export function capacity(c) {
  return [header(c), checks(c), inputs(c), gateways(c), shards(c), storage(c), network(c), sweep(c), headroom(c), cost(c), calibration(c)];
}
