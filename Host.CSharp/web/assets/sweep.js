// Follows a sweep: asks how far it is, and shows it where the page has it.

const sweep = document.getElementById('sweep');
const summary = document.getElementById('summary');
const trouble = document.getElementById('trouble');
const trials = document.getElementById('trials');
const status = sweep.querySelector('.status');
const picture = sweep.querySelector('.picture img');
const pictureAddress = picture.getAttribute('src');

function showRows(rows) {
  trials.replaceChildren(...rows.map(cells => {
    const row = document.createElement('tr');
    row.append(...cells.map(cell => Object.assign(document.createElement('td'), { textContent: cell })));
    return row;
  }));
}

function show(state) {
  if (state.version === sweep.dataset.version) return;
  sweep.dataset.version = state.version;
  status.textContent = status.dataset.status = state.state;
  summary.textContent = state.summary;
  showRows(state.rows);
  picture.src = `${pictureAddress}?at=${state.version}`;
}

async function ask() {
  let pause = status.textContent === 'running' ? 1000 : 3000;
  try {
    const answer = await fetch(`${sweep.dataset.address}/progress`);
    trouble.textContent = answer.ok ? '' : `The service answers with status ${answer.status}.`;
    if (answer.ok) show(await answer.json());
  } catch {
    trouble.textContent = 'The service does not answer; it is asked again.';
    pause = 2000;
  }
  setTimeout(ask, pause);
}

setTimeout(ask, 300);
