// The forms of rows and of plain numbers: they are sent to the plain endpoint as JSON.

import { asker } from './answer.js';

const form = document.querySelector('form[data-predict]');
const { numbers, explain } = form.elements;
const columns = [...form.querySelectorAll('[data-column]')];

const ask = asker(() => form.checkValidity() ? {
    type: 'application/json',
    body: JSON.stringify(numbers ? line(numbers.value) : Object.fromEntries(columns.map(cell))),
    query: explain?.checked ? { explain: true } : {},
} : null);

function line(text) {
    return text.split(/[\s,;]+/).filter(number => number !== '');
}

/** A column with its cell; the model may write decimals with a comma. */
function cell(field) {
    const { decimal } = form.dataset;
    return [field.dataset.column, field.type === 'number' ? field.value.replace('.', decimal) : field.value];
}

let isAsked = false;
form.addEventListener('submit', event => {
    event.preventDefault();
    isAsked = true;
    ask();
});
// Once asked, the answer follows the form.
form.addEventListener('change', () => { if (isAsked) ask(); });
