// Follows a sweep: asks how far it is, and shows it where the page has it.

import { follow, tableRow } from './follow.js';

const sweep = document.getElementById('sweep');
const summary = document.getElementById('summary');
const trials = document.getElementById('trials');
const status = sweep.querySelector('.status');
const picture = sweep.querySelector('.picture img');
const pictureAddress = picture.getAttribute('src');

function trialRow(trial) {
  const row = tableRow(trial.cells);
  const runs = document.createElement('td');
  for (const { text, address } of trial.runs) {
    runs.append(Object.assign(document.createElement('a'), { textContent: text, href: address }), ' ');
  }
  row.append(runs);
  return row;
}

function show(state) {
  if (state.version === sweep.dataset.version) return;
  sweep.dataset.version = state.version;
  status.textContent = status.dataset.status = state.state;
  summary.textContent = state.summary;
  trials.replaceChildren(...state.rows.map(trialRow));
  picture.src = `${pictureAddress}?at=${state.version}`;
}

follow(
  () => `${sweep.dataset.address}/progress`,
  show,
  () => status.textContent === 'running' ? 1000 : 3000);
