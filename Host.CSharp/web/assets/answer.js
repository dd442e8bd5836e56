// Asks a model and shows its answers. The texts are those that AnswerView.cs writes; names come from the model and
// are set as text alone.

const part = id => document.getElementById(id);
const form = document.querySelector('form[data-predict]');
const nothing = part('said').textContent;
const mostShown = Number(part('answer').dataset.most);

/**
 * A function that asks for the answer to the sample at hand, one request at a time: while one is under way, another call
 * asks again after it.
 * @param sample Gives the sample as { type, body, query }, now or later; null without one.
 */
export function asker(sample) {
    let isAsking = false, isChanged = false;
    return async () => {
        isChanged = true;
        if (isAsking) return;
        isAsking = true;
        while (isChanged) {
            isChanged = false;
            const asked = await sample();
            if (asked) await ask(asked); else clear();
        }
        isAsking = false;
    };
}

async function ask({ type, body, query }) {
    try {
        const response = await fetch(`${form.dataset.predict}?${new URLSearchParams(query)}`, {
            method: 'POST', headers: { 'Content-Type': type, 'Accept': 'application/json' }, body,
        });
        const said = await response.json();
        if (response.ok) show(said[0]); else fail(said.errors);
    } catch {
        fail(['The service does not answer.']);
    }
}

function show(answer) {
    write('faults', []);
    const isClass = answer.class !== null;
    const outputs = new Map(Object.entries(answer.outputs));
    const texts = new Map([...outputs].map(([name, number]) => [name, isClass ? number.toFixed(4) : String(number)]));
    for (const row of rows('outputs')) {
        const name = row.dataset.name;
        row.classList.toggle('best', isClass && name === answer.class);
        if (isClass) bar(row, outputs.get(name));
        row.querySelector('.number').textContent = texts.get(name);
        if (answer.intervals) {
            const { lower, upper } = new Map(Object.entries(answer.intervals)).get(name);
            row.lastElementChild.textContent = `${general(lower)} to ${general(upper)}`;
        }
    }
    if (isClass) sort('outputs', row => outputs.get(row.dataset.name));
    if (answer.set) {
        const set = part('set');
        set.textContent = `${set.dataset.share} set: ${answer.set.join(', ') || 'none'}`;
    }
    explain(answer);
    say(isClass ? `${answer.class} (${texts.get(answer.class)})`
        : outputs.size === 1 ? general([...outputs.values()][0]) : `${outputs.size} numbers`);
}

function explain({ class: named, explanation }) {
    if (!part('explanation')) return;
    part('explanation').hidden = !explanation;
    if (!explanation) return;
    const text = named === null ? general : number => number.toFixed(4);
    part('explained').textContent = `What each column adds to the ${named === null ? 'prediction' : `probability of ${named}`}, which is ${text(explanation.baseline)} for a row with every input 0:`;
    const parts = new Map(Object.entries(explanation.columns));
    const most = named === null ? Math.max(Number.MIN_VALUE, ...[...parts.values()].map(Math.abs)) : 1;
    for (const row of rows('parts')) {
        const adds = parts.get(row.dataset.name);
        bar(row, adds / most);
        row.querySelector('.number').textContent = (adds < 0 ? '−' : '+') + text(Math.abs(adds));
    }
    sort('parts', row => Math.abs(parts.get(row.dataset.name)), true);
}

function fail(sentences) {
    clear();
    write('faults', sentences);
}

function clear() {
    write('faults', []);
    for (const table of ['outputs', 'parts'].filter(part))
        for (const row of rows(table)) {
            row.classList.remove('best');
            if (row.querySelector('rect')) bar(row, 0);
            for (const cell of row.querySelectorAll('.number')) cell.textContent = '–';
        }
    if (part('set')) part('set').textContent = '';
    if (part('explanation')) part('explanation').hidden = true;
    say(nothing);
}

/** Says the answer; a text that stays is not said again. */
function say(text) {
    if (part('said').textContent !== text) part('said').textContent = text;
}

function write(id, sentences) {
    part(id).replaceChildren(...sentences.map(sentence => {
        const paragraph = document.createElement('p');
        paragraph.className = 'fault';
        paragraph.textContent = sentence;
        return paragraph;
    }));
}

function rows(table) {
    return [...part(table).tBodies[0].rows];
}

/** Puts the greatest rows of a table first and hides those beyond what is shown; a table that is not longer stays as it
 * is unless it is always sorted. */
function sort(table, size, always = false) {
    const all = rows(table);
    if (!always && all.length <= mostShown) return;
    all.sort((one, other) => size(other) - size(one));
    all.forEach((row, place) => row.hidden = place >= mostShown);
    part(table).tBodies[0].append(...all);
}

function bar(row, share) {
    const rect = row.querySelector('rect');
    rect.setAttribute('x', Math.min(0, share));
    rect.setAttribute('width', Math.abs(share));
    rect.classList.toggle('less', share < 0);
}

function general(number) {
    return String(Number(number.toPrecision(6)));
}
