import { command, h, s, section } from './dom.js';
import { clock } from './format.js';

const headHeight = 34;
const stepHeight = 34;
const arrivalHeight = 16;
const letter = 6.4;  // average width of a letter of the labels, in pixels

const shorten = (text, letters) => (text.length > letters ? `${text.slice(0, Math.max(1, letters - 1))}…` : text);

// Rows in order of time, not to its scale: a gap of hours takes one row, and no two labels meet.
function layOut(arrows) {
  const points = [];
  arrows.forEach((arrow, index) => {
    points.push({ time: arrow.timeNs, index, sending: true });
    if (arrow.arrivalNs > arrow.timeNs && arrow.from !== arrow.to) {
      points.push({ time: arrow.arrivalNs, index, sending: false });
    }
  });
  points.sort((a, b) => a.time - b.time || Number(a.sending) - Number(b.sending) || a.index - b.index);
  const rows = arrows.map(() => ({}));
  const marks = [];
  let y = headHeight + 6;
  let last = null;
  for (const point of points) {
    y += point.sending ? stepHeight : arrivalHeight;
    rows[point.index][point.sending ? 'sent' : 'arrived'] = y;
    if (point.time !== last) marks.push({ time: point.time, y });
    last = point.time;
  }
  return { rows, marks, height: y + 30 };
}

// Whole milliseconds where that is exact, otherwise microseconds.
function decimalsOf(arrows) {
  const exact = arrows.every((a) => a.timeNs % 1e6 === 0 && (a.arrivalNs < 0 || a.arrivalNs % 1e6 === 0));
  return exact ? 3 : 6;
}

function columnWidth(diagram) {
  const need = diagram.arrows.map((arrow) => (arrow.label.length * letter + 40) / Math.max(1, Math.abs(arrow.to - arrow.from)));
  const heads = diagram.lifelines.map((name) => name.length * 7 + 32);
  return Math.min(innerWidth < 640 ? 165 : 250, Math.max(116, ...need, ...heads));
}

function arrowHead(x, y, towards) {
  // `towards` is the direction of the line, as a unit vector.
  const [dx, dy] = towards;
  const back = 9;
  const side = 4;
  const points = [[x, y], [x - back * dx + side * dy, y - back * dy - side * dx], [x - back * dx - side * dy, y - back * dy + side * dx]];
  return s('polygon', { points: points.map((p) => p.map((v) => v.toFixed(1)).join(',')).join(' ') });
}

function drawStep(arrow, row, x, last, width) {
  const right = !last || arrow.from === 0;
  const letters = Math.floor((width - 24) / letter);
  return [
    s('circle', { cx: x, cy: row.sent, r: 4.5 }),
    s('text', { x: x + (right ? 11 : -11), y: row.sent + 4, 'text-anchor': right ? 'start' : 'end' }, shorten(arrow.label, letters)),
  ];
}

function drawMessage(arrow, row, x1, x2, width) {
  const lost = arrow.arrivalNs < arrow.timeNs;
  const y1 = row.sent;
  const y2 = lost ? y1 + 14 : row.arrived ?? y1;
  const reach = lost ? 0.62 : 1;
  const endX = x1 + (x2 - x1) * reach;
  const endY = y1 + (y2 - y1) * reach;
  const length = Math.hypot(endX - x1, endY - y1);
  const towards = [(endX - x1) / length, (endY - y1) / length];
  const letters = Math.floor((Math.abs(x2 - x1) - 20) / letter);
  // The label sits near the sender's end, where its row belongs to it alone.
  const labelX = x1 + Math.sign(x2 - x1) * Math.min(Math.abs(x2 - x1) / 2, width / 2);
  const labelY = y1 + ((labelX - x1) / (x2 - x1)) * (y2 - y1);
  const tilt = (Math.atan((y2 - y1) / (x2 - x1)) * 180) / Math.PI;
  return [
    s('line', { x1, y1, x2: endX, y2: endY }),
    lost ? s('path', { d: `M${endX - 5},${endY - 5}l10,10m0,-10l-10,10` }) : arrowHead(endX, endY, towards),
    s('text', { x: labelX, y: labelY - 6, 'text-anchor': 'middle', transform: `rotate(${tilt.toFixed(2)} ${labelX} ${labelY})` }, shorten(arrow.label, letters)),
  ];
}

export function diagram(data) {
  const { rows, marks, height } = layOut(data.arrows);
  const column = columnWidth(data);
  const decimals = decimalsOf(data.arrows);
  const gutter = decimals === 3 ? 88 : 108;
  const x = (i) => gutter + column * (i + 0.5);
  const width = gutter + column * data.lifelines.length + 12;
  const lines = data.lifelines.map((name, i) => s('g.lifeline', null,
    s('line', { x1: x(i), y1: headHeight, x2: x(i), y2: height - 8 }),
    s('rect', { x: x(i) - column / 2 + 6, y: 4, width: column - 12, height: headHeight - 8, rx: 6 }),
    s('text', { x: x(i), y: 22, 'text-anchor': 'middle' }, shorten(name, Math.floor((column - 24) / 7)), s('title', null, name))));
  const times = marks.map((mark) => s('g.time', null,
    s('line', { x1: gutter - 4, y1: mark.y, x2: width - 8, y2: mark.y }),
    s('text', { x: gutter - 10, y: mark.y + 4, 'text-anchor': 'end' }, clock(mark.time / 1e9, decimals))));
  const arrows = data.arrows.map((arrow, i) => {
    const lost = arrow.arrivalNs < arrow.timeNs && arrow.from !== arrow.to;
    const classes = `g.arrow${arrow.highlight ? '.highlight' : ''}${lost ? '.lost' : ''}`;
    const drawn = arrow.from === arrow.to
      ? drawStep(arrow, rows[i], x(arrow.from), arrow.from === data.lifelines.length - 1, column)
      : drawMessage(arrow, rows[i], x(arrow.from), x(arrow.to), column);
    return s(classes, null, drawn, s('title', null, `${clock(arrow.timeNs / 1e9, 6)}  ${arrow.label}${lost ? ' (lost)' : ''}`));
  });
  return h('div.scroll.diagram', { tabindex: '0' },
    s('svg', { width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': 'Message diagram, time runs downwards' },
      times, lines, arrows));
}

export function stories(r) {
  if (!r.stories.length) return null;
  return section(r.stories.length === 1 ? 'What went wrong' : 'What went wrong, story by story', null, r.stories.map((story) =>
    h('article.story', null,
      h('h3', null, h('code', null, story.property), ' ', story.headline),
      h('ol.prose', null, story.prose.map((line) => h('li', null, line))),
      story.diagram.arrows.length ? diagram(story.diagram) : null,
      story.replayCommand ? command(story.replayCommand, 'Replay') : null)));
}
