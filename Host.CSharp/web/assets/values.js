// Shows the numbers of a picture's lines at the place of the pointer, or at a place moved by the arrow keys.

for (const figure of document.querySelectorAll('.picture')) {
  const plot = figure.querySelector('.plot');
  const image = figure.querySelector('img');
  const cursor = figure.querySelector('.cursor');
  const caption = figure.querySelector('figcaption');
  let drawing = null;
  let at = null;

  // The index of the place nearest to x; places increase.
  function nearest(places, x) {
    let [low, high] = [0, places.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (places[middle] <= x) low = middle;
      else high = middle;
    }
    return Math.abs(places[low] - x) <= Math.abs(places[high] - x) ? low : high;
  }

  const number = value => Math.abs(value) >= 1000 || Number.isInteger(value)
    ? Math.round(value).toLocaleString('en')
    : value.toPrecision(4);

  function show() {
    const chart = at && drawing?.charts.find(one => at.y <= one.bottom) || at && drawing?.charts.at(-1);
    cursor.hidden = !chart;
    caption.textContent = ' ';
    if (!chart) return;
    at.x = Math.min(Math.max(at.x, chart.left), chart.right);
    const x = chart.from + (chart.to - chart.from) * (at.x - chart.left) / (chart.right - chart.left);
    const texts = chart.lines.filter(line => line.x.length > 0).map(line => {
      const index = nearest(line.x, x);
      const value = line.y[index];
      return `${line.name} ${value === null ? '–' : number(value)} (${chart.axis} ${number(line.x[index])})`;
    });
    caption.textContent = texts.join(' · ') || ' ';
    const scale = image.clientWidth / drawing.width;
    cursor.style.left = `${at.x * scale}px`;
    cursor.style.top = `${chart.top * scale}px`;
    cursor.style.height = `${(chart.bottom - chart.top) * scale}px`;
  }

  async function load() {
    const answer = await fetch(figure.dataset.points);
    drawing = answer.ok ? await answer.json() : null;
    show();
  }

  function move(x, y) {
    at = { x, y };
    if (drawing) show();
    else load();
  }

  plot.addEventListener('pointermove', event => {
    const scale = (drawing?.width ?? image.width) / image.clientWidth;
    const box = image.getBoundingClientRect();
    move((event.clientX - box.left) * scale, (event.clientY - box.top) * scale);
  });
  plot.addEventListener('pointerleave', () => { at = null; show(); });
  plot.addEventListener('keydown', event => {
    const step = { ArrowLeft: -8, ArrowRight: 8 }[event.key];
    const turn = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step && !turn) return;
    event.preventDefault();
    const next = at ?? { x: 0, y: 0 };
    if (!turn || !drawing) return move(next.x + (step ?? 0), next.y);
    const charts = drawing.charts;
    const index = Math.max(0, charts.findIndex(one => next.y <= one.bottom)) + turn;
    return move(next.x, charts[Math.min(Math.max(index, 0), charts.length - 1)].bottom);
  });
  // The picture was drawn anew.
  figure.addEventListener('renewed', () => { if (at) load(); else drawing = null; });
}
