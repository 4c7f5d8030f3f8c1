'use strict';
// All of this adds to a page that can be read without it.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Light and dark: as the system has it, until the reader says otherwise.
  const theme = document.getElementById('theme');
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const paint = (on) => {
    document.documentElement.dataset.theme = on ? 'dark' : 'light';
    theme.setAttribute('aria-pressed', on);
  };
  paint(dark.matches);
  dark.addEventListener('change', () => paint(dark.matches));
  theme.hidden = false;
  theme.addEventListener('click', () => paint(theme.getAttribute('aria-pressed') !== 'true'));

  // Sorting: a click sorts up, the next one down, the third puts back what was.
  for (const table of all('table')) {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const key = (row, at) => {
      const cell = row.cells[at];
      return cell.dataset.v === undefined ? cell.textContent : Number(cell.dataset.v);
    };
    const compare = (a, b) => {
      if (typeof a === typeof b) return typeof a === 'number' ? a - b : a.localeCompare(b, 'en', { numeric: true });
      return typeof a === 'number' ? -1 : 1;
    };
    all('th', table).forEach((head, at) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener('click', () => {
        const next = { ascending: 'descending', descending: null }[head.getAttribute('aria-sort')];
        const order = next === undefined ? 'ascending' : next;
        all('th', table).forEach((other) => other.removeAttribute('aria-sort'));
        if (order) head.setAttribute('aria-sort', order);
        const sign = order === 'descending' ? -1 : 1;
        // Cells without a value stay at the end, whichever way the others go.
        const empty = (row) => row.cells[at].textContent === '';
        const sorted = [...rows].sort((a, b) => empty(a) - empty(b) || sign * compare(key(a, at), key(b, at)));
        body.append(...(order ? sorted : rows));
      });
    });
  }

  // Filters.
  const filters = document.getElementById('filters');
  const rows = all('tr[data-axes]').map((row) => ({ row, axes: row.dataset.axes.split('|'), lane: row.dataset.lane }));
  const selects = all('select', filters);
  const search = document.getElementById('search');
  const filter = () => {
    const wanted = selects.map((select) => select.value);
    const text = search.value.trim().toLowerCase();
    let shown = 0;
    for (const { row, axes, lane } of rows) {
      row.hidden = !(wanted.every((value, at) => value === '' || axes[at] === value) && lane.toLowerCase().includes(text));
      shown += !row.hidden;
    }
    for (const article of all('article')) article.hidden = !article.querySelector('tr[data-axes]:not([hidden])');
    document.getElementById('shown').textContent = `${shown} of ${rows.length} rows`;
  };
  filters.hidden = false;
  filters.addEventListener('input', filter);
  filters.addEventListener('submit', (event) => event.preventDefault());
  filters.addEventListener('reset', () => setTimeout(filter));
  filter();

  // Flamegraphs: unpacked when they are opened, and without the scripts they bring along.
  const FG = 'http://github.com/jonhoo/inferno';
  const unpack = async (packed) => {
    const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Response(stream).text();
  };
  const view = (svg) => {
    const frames = all('g', svg).filter((g) => g.querySelector(':scope > title') && g.querySelector(':scope > rect'));
    const boxes = frames.map((g) => {
      const [rect, text] = [g.querySelector('rect'), g.querySelector('text')];
      const name = g.querySelector('title').textContent;
      const number = (name) => Number(rect.getAttributeNS(FG, name) ?? rect.getAttribute(`fg:${name}`));
      const box = { g, rect, text, name, x: number('x'), w: number('w') };
      g.setAttribute('tabindex', '0');
      g.setAttribute('role', 'button');
      g.setAttribute('aria-label', name);
      const open = () => zoom(box);
      g.addEventListener('click', (event) => { event.preventDefault(); open(); });
      g.addEventListener('keydown', (event) => { if (event.key === 'Enter') open(); });
      return box;
    }).filter((box) => Number.isFinite(box.x) && box.w > 0);
    const whole = { x: 0, w: Math.max(1, ...boxes.map((box) => box.x + box.w)) };
    const zoom = (to) => {
      for (const box of boxes) {
        const [left, width] = [(box.x - to.x) / to.w, box.w / to.w];
        const [from, until] = [Math.max(0, left), Math.min(1, left + width)];
        box.g.style.display = until - from > 0.0005 ? '' : 'none';
        box.rect.setAttribute('x', `${100 * from}%`);
        box.rect.setAttribute('width', `${100 * Math.max(0, until - from)}%`);
        if (!box.text) continue;
        const letters = Math.floor((until - from) * 1180 / 7.2);
        const label = box.name.replace(/ \([^()]*\)$/, '');
        box.text.setAttribute('x', `${100 * from + 0.25}%`);
        box.text.textContent = letters < 3 ? '' : label.length <= letters ? label : `${label.slice(0, letters - 2)}..`;
      }
      svg.dataset.zoomed = to === whole ? '' : to.name;
    };
    svg.addEventListener('keydown', (event) => { if (event.key === 'Escape') zoom(whole); });
    zoom(whole);
  };
  for (const flame of all('details.flame')) {
    flame.addEventListener('toggle', async () => {
      const place = flame.querySelector('.graph');
      if (!flame.open || place.childNodes.length) return;
      place.textContent = 'unpacking …';
      try {
        const text = await unpack(flame.querySelector('script').textContent);
        const svg = document.importNode(new DOMParser().parseFromString(text, 'image/svg+xml').documentElement, true);
        all('script', svg).forEach((script) => script.remove());
        all('*', svg).concat(svg).forEach((element) => [...element.attributes]
          .filter(({ name }) => name.startsWith('on')).forEach(({ name }) => element.removeAttribute(name)));
        svg.setAttribute('viewBox', svg.getAttribute('viewBox') || `0 0 ${svg.getAttribute('width')} ${svg.getAttribute('height')}`);
        // In a tree of its own: its styles and ids are meant for a document of its own.
        place.replaceChildren(document.createElement('div'));
        place.firstChild.attachShadow({ mode: 'open' }).append(svg);
        svg.setAttribute('width', '100%');
        svg.removeAttribute('height');
        view(svg);
      } catch (error) {
        place.textContent = `This browser can't unpack it (${error}).`;
      }
    });
  }

  // On paper everything is open.
  addEventListener('beforeprint', () => all('details:not(.flame)').forEach((details) => { details.open = true; }));
})();
