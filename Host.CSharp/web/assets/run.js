// Follows a run: asks what is new since a place in its logs, and shows it where the page has it.

const run = document.getElementById('run');
const news = document.getElementById('news');
const trouble = document.getElementById('trouble');
const figures = document.getElementById('figures');
const epochs = document.getElementById('epochs');
const picture = run.querySelector('.picture img');
const pictureAddress = picture.getAttribute('src');
let cursor = run.dataset.cursor;

const element = (name, text) => Object.assign(document.createElement(name), { textContent: text });

function showFigures(list) {
  figures.replaceChildren(...list.map(([name, value]) => {
    const figure = document.createElement('div');
    figure.append(element('dt', name), element('dd', value));
    return figure;
  }));
}

function showRows(rows, isReset) {
  const fresh = rows.map(cells => {
    const row = document.createElement('tr');
    row.append(...cells.map(cell => Object.assign(element('td', cell), { className: 'number' })));
    return row;
  });
  if (isReset) epochs.replaceChildren(...fresh);
  else epochs.prepend(...fresh);
  while (epochs.children.length > Number(epochs.dataset.most)) epochs.lastElementChild.remove();
}

function show(state) {
  const status = run.querySelector('.status');
  status.textContent = status.dataset.status = state.status;
  news.textContent = state.news;
  const isNew = state.reset || state.cursor !== cursor;
  cursor = state.cursor;
  if (String(state.ended) !== run.dataset.ended) location.reload();
  else if (isNew) {
    showFigures(state.figures);
    showRows(state.rows, state.reset);
    picture.src = `${pictureAddress}?at=${cursor}`;
    picture.dispatchEvent(new Event('renewed', { bubbles: true }));
  }
}

async function ask() {
  let pause = run.dataset.ended === 'true' ? 3000 : 700;
  try {
    const answer = await fetch(`${run.dataset.address}/progress?since=${cursor}`);
    trouble.textContent = answer.ok ? '' : `The service answers with status ${answer.status}.`;
    if (answer.ok) show(await answer.json());
  } catch {
    trouble.textContent = 'The service does not answer; it is asked again.';
    pause = 2000;
  }
  setTimeout(ask, pause);
}

setTimeout(ask, 300);
