import 'uplot/dist/uPlot.min.css';
import './page.css';
import { header } from './header.js';
import { properties } from './properties.js';
import { stories } from './stories.js';
import { latencies } from './latencies.js';
import { overTime, reconnects } from './timeline.js';
import { conditions, counts } from './facts.js';

const result = JSON.parse(document.getElementById('result').textContent);
// Numbers of JavaScript end at 2^53; seeds do not.
result.seedText = document.body.dataset.seed ?? String(result.seed);
result.mergedSeedTexts = (document.body.dataset.mergedSeeds ?? '').split(' ');

const parts = [header, stories, properties, latencies, overTime, reconnects, counts, conditions];
document.getElementById('report').append(...parts.map((part) => part(result)).flat().filter(Boolean));
