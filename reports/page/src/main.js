import 'uplot/dist/uPlot.min.css';
import './page.css';
import { capacity } from './capacity.js';
import { comparison } from './comparison.js';
import { header } from './header.js';
import { properties } from './properties.js';
import { stories } from './stories.js';
import { latencies } from './latencies.js';
import { overTime, reconnects } from './timeline.js';
import { conditions, counts } from './facts.js';

const data = JSON.parse(document.getElementById('result').textContent);

// Numbers of JavaScript end at 2^53; seeds do not, so they come as texts beside the document.
function reportParts(result) {
  result.seedText = document.body.dataset.seed ?? String(result.seed);
  result.mergedSeedTexts = (document.body.dataset.mergedSeeds ?? '').split(' ');
  return [header, stories, properties, latencies, overTime, reconnects, counts, conditions].map((part) => part(result));
}

const pages = {
  capacity: () => capacity(data),
  comparison: () => comparison(data, (document.body.dataset.seeds ?? '').split(' ').filter(Boolean)),
};
const parts = (pages[document.body.dataset.page] ?? (() => reportParts(data)))();
document.getElementById('report').append(...parts.flat().filter(Boolean));
