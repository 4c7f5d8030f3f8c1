'use strict';
// Opens the page in frames of several widths, does what a reader does, and writes what it saw into #result.
(async () => {
  const html = JSON.parse(document.getElementById('page').textContent);
  const watch = `<script>
    window.problems = [];
    addEventListener('error', (event) => problems.push(String(event.message)));
    addEventListener('unhandledrejection', (event) => problems.push(String(event.reason)));
    addEventListener('securitypolicyviolation', (event) => problems.push('blocked: ' + event.violatedDirective));
    for (const kind of ['error', 'warn']) console[kind] = (...what) => problems.push(what.join(' '));
  <\/script>`;
  const seen = [];
  const check = (name, fine, detail = '') => seen.push({ name, fine: Boolean(fine), detail: String(detail) });
  const settle = () => new Promise((resolve) => setTimeout(resolve, 50));
  const until = async (look) => {
    for (let tries = 0; tries < 100; tries += 1) {
      const found = look();
      if (found) return found;
      await settle();
    }
    return null;
  };
  const open = async (width) => {
    const frame = document.createElement('iframe');
    frame.style.cssText = `width: ${width}px; height: 900px; border: 0`;
    frame.srcdoc = html.replace('<head>', `<head>${watch}`);
    const loaded = new Promise((resolve) => frame.addEventListener('load', resolve));
    document.body.append(frame);
    await loaded;
    await settle();
    return frame;
  };
  const all = (selector, root) => [...root.querySelectorAll(selector)];

  try {
    for (const width of [390, 1280, 1920]) {
      const frame = await open(width);
      const { documentElement: root } = frame.contentDocument;
      check(`no overflow at ${width} px`, root.scrollWidth <= root.clientWidth, `${root.scrollWidth} > ${root.clientWidth}`);
      all('details', root).forEach((details) => { details.open = true; });
      await settle();
      check(`no overflow at ${width} px, all open`, root.scrollWidth <= root.clientWidth, `${root.scrollWidth} > ${root.clientWidth}`);
      check(`quiet at ${width} px`, frame.contentWindow.problems.length === 0, frame.contentWindow.problems);
      frame.remove();
    }

    const frame = await open(1280);
    const [page, view] = [frame.contentDocument, frame.contentWindow];

    const table = page.querySelector('table.lanes');
    const column = all('th', table).findIndex((head) => head.textContent === 'Time');
    const times = () => all('tbody tr', table).map((row) => row.cells[column].dataset.v).filter((value) => value !== undefined).map(Number);
    const before = times();
    const head = all('th', table)[column];
    const ascends = (values) => values.every((value, at) => at === 0 || values[at - 1] <= value);
    head.querySelector('button').click();
    check('a click sorts up', before.length > 2 && ascends(times()) && head.getAttribute('aria-sort') === 'ascending', times());
    head.querySelector('button').click();
    check('a second one sorts down', ascends(times().reverse()) && head.getAttribute('aria-sort') === 'descending', times());
    head.querySelector('button').click();
    check('a third one restores', String(times()) === String(before) && !head.hasAttribute('aria-sort'), times());

    const visible = () => all('tr[data-axes]', page).filter((row) => !row.hidden);
    const every = visible().length;
    const select = page.querySelector('#filters select');
    const binding = all('option', select).map((option) => option.value).find((value) => value !== '');
    select.value = binding;
    select.dispatchEvent(new view.Event('input', { bubbles: true }));
    const kept = visible();
    check('a filter keeps its rows only', kept.length > 0 && kept.length < every && kept.every((row) => row.dataset.axes.split('|')[0] === binding), kept.length);
    check('the number of rows is said', page.getElementById('shown').textContent === `${kept.length} of ${every} rows`, page.getElementById('shown').textContent);
    page.querySelector('#filters [type=reset]').click();
    await settle();
    check('reset shows all', visible().length === every, visible().length);
    const search = page.getElementById('search');
    search.value = 'NO SUCH LANE';
    search.dispatchEvent(new view.Event('input', { bubbles: true }));
    check('a search for nothing hides all', visible().length === 0 && all('article', page).every((article) => article.hidden));
    search.value = '';
    search.dispatchEvent(new view.Event('input', { bubbles: true }));

    const ground = () => view.getComputedStyle(page.body).backgroundColor;
    const letters = () => view.getComputedStyle(page.querySelector('.plot text')).fill;
    const theme = page.getElementById('theme');
    const light = [ground(), letters()];
    theme.click();
    check('dark differs, plots too', ground() !== light[0] && letters() !== light[1] && theme.getAttribute('aria-pressed') === 'true', [ground(), letters()]);
    theme.click();
    check('and back', String([ground(), letters()]) === String(light), [ground(), letters()]);

    check('names are text', page.body.textContent.includes('<script>window.hacked') && view.hacked === undefined && !page.querySelector('main img, [onload], [onerror]'));
    check('links lead somewhere', all('a[href^="#"]', page).every((link) => page.getElementById(link.getAttribute('href').slice(1))),
      all('a[href^="#"]', page).map((link) => link.getAttribute('href')).filter((href) => !page.getElementById(href.slice(1))));
    const ids = all('[id]', page).map((element) => element.id);
    check('no id is there twice', new Set(ids).size === ids.length, ids.filter((id, at) => ids.indexOf(id) !== at));
    check('plots are named', all('svg.plot', page).length > 2 && all('svg.plot', page).every((plot) => plot.getAttribute('aria-label') && plot.getAttribute('role') === 'img'));
    check('fields are labelled', all('select, input', page).every((field) => field.labels.length === 1));
    check('nothing is fetched', view.performance.getEntriesByType('resource').length === 0);

    const flame = page.querySelector('details.flame');
    flame.open = true;
    const svg = await until(() => flame.querySelector('.graph > div')?.shadowRoot?.querySelector('svg'));
    check('a flamegraph is unpacked', svg, flame.textContent.slice(0, 200));
    if (svg) {
      const frames = all('g[role=button]', svg);
      const child = frames.find((g) => g.getAttribute('aria-label').startsWith('kernel'));
      const rect = child.querySelector('rect');
      const narrow = parseFloat(rect.getAttribute('width'));
      child.dispatchEvent(new view.MouseEvent('click', { bubbles: true }));
      check('a click looks into a frame', narrow < 99 && parseFloat(rect.getAttribute('width')) === 100 && svg.dataset.zoomed.startsWith('kernel'), rect.outerHTML);
      svg.dispatchEvent(new view.KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
      check('Escape goes back', Math.abs(parseFloat(rect.getAttribute('width')) - narrow) < 0.01 && svg.dataset.zoomed === '', rect.outerHTML);
      check('its scripts stay outside', !svg.querySelector('script') && view.hacked === undefined);
      check('its styles stay inside', view.getComputedStyle(search).opacity === '1');
    }
    // On paper: the rules for printing, without the paper.
    const paper = (await open(800)).contentDocument;
    all('details', paper).forEach((details) => { details.open = true; });
    for (const sheet of paper.styleSheets) {
      const printing = [...sheet.cssRules].filter((rule) => rule.media?.mediaText === 'print').flatMap((rule) => [...rule.cssRules]);
      check('there are rules for printing', printing.length > 3, printing.length);
      printing.forEach((rule) => sheet.insertRule(rule.cssText, sheet.cssRules.length));
    }
    const heads = all('thead th', paper).filter((th) => th.textContent.trim());
    const unseen = heads.filter((th) => th.innerText.trim() === '' || th.getClientRects().length === 0).map((th) => th.textContent);
    check('headings of columns are printed', heads.length > 20 && unseen.length === 0, unseen.slice(0, 5));
    check('what can be clicked is not', all('nav, #filters, #theme', paper).every((element) => element.getClientRects().length === 0));
    check('quiet to the end', view.problems.length === 0, view.problems);
  } catch (error) {
    check('the checks ran', false, `${error} ${error.stack}`);
  }
  document.getElementById('result').textContent = JSON.stringify(seen);
})();
