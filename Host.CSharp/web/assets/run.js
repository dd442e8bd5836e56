// Follows a run: asks what is new since a place in its logs, and shows it where the page has it.

import { follow, tableRow } from './follow.js';

const run = document.getElementById('run');
const news = document.getElementById('news');
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
  const fresh = rows.map(cells => tableRow(cells, { className: 'number' }));
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

follow(
  () => `${run.dataset.address}/progress?since=${cursor}`,
  show,
  () => run.dataset.ended === 'true' ? 3000 : 700);
