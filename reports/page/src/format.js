const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

export const whole = (value) => grouped.format(value);

// Three significant digits, but never fewer than all digits before the point.
export function digits(value) {
  const size = Math.abs(value);
  if (size >= 99.95 || value === 0) return grouped.format(value);
  if (size >= 9.995) return value.toFixed(1);
  if (size >= 0.9995) return value.toFixed(2);
  return String(Number(value.toPrecision(2)));
}

// The same without zeros after the point: for axes and round durations.
export const plain = (value) => digits(value).replace(/\.0+$/, '');

export function bytes(value) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (value >= 1024 && unit + 1 < units.length) { value /= 1024; unit += 1; }
  return `${unit === 0 ? value : plain(value)} ${units[unit]}`;
}

export function duration(ns) {
  if (ns < 1e3) return `${ns} ns`;
  if (ns < 1e6) return `${plain(ns / 1e3)} µs`;
  if (ns < 1e9) return `${plain(ns / 1e6)} ms`;
  const seconds = Math.floor(ns / 1e9);
  if (seconds < 100) return `${plain(ns / 1e9)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min${seconds % 60 ? ` ${seconds % 60} s` : ''}`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds / 60) % 60} min`;
}

const two = (n) => String(n).padStart(2, '0');

// A point on the virtual clock: 1:02:03, with as many decimals of the second as asked for.
export function clock(seconds, decimals = 0) {
  const scale = 10 ** decimals;
  const ticks = Math.round(Math.abs(seconds) * scale);
  const all = Math.floor(ticks / scale);
  const rest = decimals ? `.${String(ticks % scale).padStart(decimals, '0')}` : '';
  const hours = Math.floor(all / 3600);
  const minutes = Math.floor(all / 60) % 60;
  const sign = seconds < 0 ? '-' : '';
  return `${sign}${hours ? `${hours}:${two(minutes)}` : minutes}:${two(all % 60)}${rest}`;
}

// A latency in milliseconds on an axis: 250 µs, 3 ms, 1.5 s.
export function latency(ms) {
  if (ms < 1) return `${plain(ms * 1000)} µs`;
  if (ms < 1000) return `${plain(ms)} ms`;
  return `${plain(ms / 1000)} s`;
}

export const words = (identifier) => identifier.replace(/_/g, ' ');

// What to show for a raw value of a unit, on an axis or in a legend.
export function withUnit(value, unit) {
  if (unit === 'bytes') return bytes(value);
  if (unit === 'per mille') return `${plain(value / 10)} %`;
  if (unit === 'ns') return duration(value);
  return plain(value);
}
