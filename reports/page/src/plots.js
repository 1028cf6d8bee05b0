// What all plots share: uPlot in the page's colours, as wide as its box, redrawn when light turns to dark.
import uPlot from 'uplot';

const palette = ['--line-1', '--line-2', '--line-3', '--line-4', '--line-5', '--line-6', '--line-7', '--line-8'];
const dashes = [[], [6, 4], [2, 3]];

export const axisWidth = 62;
export const rightPadding = 14;

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Colour and dash of the nth line; after eight colours the dash changes.
export function stroke(n) {
  return { stroke: colour(palette[n % palette.length]), dash: dashes[Math.floor(n / palette.length) % dashes.length] };
}

export function axes(xFormat, yFormat, more = {}) {
  const common = {
    stroke: colour('--muted'),
    font: '12px system-ui, sans-serif',
    grid: { stroke: colour('--grid'), width: 1 },
    ticks: { stroke: colour('--grid'), width: 1, size: 5 },
  };
  return [
    { ...common, values: (_, ticks) => ticks.map((t) => (t === null ? '' : xFormat(t))), space: 70, size: 34, ...more.x },
    { ...common, values: (_, ticks) => ticks.map((t) => (t === null ? '' : yFormat(t))), size: axisWidth, ...more.y },
  ];
}

const drawn = new Set();

// Keeps a plot in `box`: makeOptions() is asked again whenever the colours change, the width follows the box.
// Returns {plot(), replace(data)}.
export function keepPlot(box, height, makeOptions, data) {
  let plot = null;
  const width = () => Math.max(240, Math.floor(box.clientWidth));
  const draw = () => {
    plot?.destroy();
    plot = new uPlot({ width: width(), height, padding: [10, rightPadding, 0, 0], ...makeOptions() }, data, box);
  };
  const watcher = new ResizeObserver(() => {
    if (!box.clientWidth) return;
    if (!plot) draw();
    else if (plot.width !== width()) plot.setSize({ width: width(), height });
  });
  watcher.observe(box);
  drawn.add(() => plot && draw());
  return {
    plot: () => plot,
    replace(next) {
      data = next;
      if (plot) draw();
    },
  };
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => drawn.forEach((redraw) => redraw()));
