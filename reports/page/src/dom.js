// h('p.note', {title: 'x'}, 'text', child): an element; classes after dots, children may be nested arrays or null.
export function h(selector, attributes, ...children) {
  return make(document.createElement(selector.split('.')[0]), selector, attributes, children);
}

// The same for SVG.
export function s(selector, attributes, ...children) {
  const name = selector.split('.')[0];
  return make(document.createElementNS('http://www.w3.org/2000/svg', name), selector, attributes, children);
}

function make(element, selector, attributes, children) {
  const classes = selector.split('.').slice(1);
  if (classes.length) element.setAttribute('class', classes.join(' '));
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
}

// A section with a heading; null when there is nothing to show.
export function section(title, lead, ...content) {
  const id = title.toLowerCase().replace(/[^a-z]+/g, '-');
  return h('section', { id, 'aria-label': title }, h('h2', null, title), lead ? h('p.lead', null, lead) : null, content);
}

// A table that scrolls sideways inside its box. columns: [{title, number}], rows: arrays of cells or ready <tr>.
export function table(columns, rows, kind = 'plain') {
  const head = columns.map((c) => h(c.number ? 'th.number' : 'th', { scope: 'col' }, c.title));
  const body = rows.map((row) =>
    row instanceof Element
      ? row
      : h('tr', null, row.map((cell, i) => h(columns[i].number ? 'td.number' : 'td', null, cell))));
  return h('div.scroll', { tabindex: '0' },
    h(`table.${kind}`, null, h('thead', null, h('tr', null, head)), h('tbody', null, body)));
}

// A command in a box with a button that copies it.
export function command(text, label) {
  const button = h('button.copy', { type: 'button', 'aria-label': `Copy: ${label}`, onclick: () => copy(text, button) }, 'Copy');
  // Each word in a box of its own: a browser would break a line after any hyphen.
  const words = text.split(' ').flatMap((word, i) => [i ? ' ' : null, h('span.word', null, word)]);
  return h('div.command', null, h('span.command-label', null, label), h('code', null, words), button);
}

async function copy(text, button) {
  let done = false;
  try {
    await navigator.clipboard.writeText(text);
    done = true;
  } catch {
    // A page opened from a file may not have the clipboard interface; the older way still works there.
    const area = h('textarea', { readonly: '' });
    area.value = text;
    document.body.append(area);
    area.select();
    done = document.execCommand('copy');
    area.remove();
  }
  button.textContent = done ? 'Copied' : 'Select it by hand';
  setTimeout(() => { button.textContent = 'Copy'; }, 1600);
}

// One button out of several; calls back with the chosen index.
export function segments(labels, chosen, callback) {
  const buttons = labels.map((label, i) =>
    h('button', { type: 'button', 'aria-pressed': String(i === chosen), onclick: () => {
      buttons.forEach((b, j) => b.setAttribute('aria-pressed', String(i === j)));
      callback(i);
    } }, label));
  return h('div.segments', { role: 'group' }, buttons);
}
