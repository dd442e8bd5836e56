// Asks for news again and again, and shows what is wrong with the answers.

const trouble = document.getElementById('trouble');

// address, show and pause are functions: where to ask, what to do with an answer, and how long to wait after it.
export function follow(address, show, pause) {
  async function ask() {
    let wait = pause();
    try {
      const answer = await fetch(address());
      trouble.textContent = answer.ok ? '' : `The service answers with status ${answer.status}.`;
      if (answer.ok) show(await answer.json());
    } catch {
      trouble.textContent = 'The service does not answer; it is asked again.';
      wait = 2000;
    }
    setTimeout(ask, wait);
  }

  setTimeout(ask, 300);
}

export function tableRow(cells, properties) {
  const row = document.createElement('tr');
  row.append(...cells.map(cell => Object.assign(document.createElement('td'), { textContent: cell, ...properties })));
  return row;
}
