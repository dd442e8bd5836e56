// Draws an image, or takes one from a file, and asks for its class.

import { asker } from './answer.js';
import { prepared, inkOf } from './ink.js';

const part = id => document.getElementById(id);
const form = document.querySelector('form[data-predict]');
const paper = part('paper'), seen = part('seen'), file = part('file'), dark = part('dark');
const { width: columns, height: rows } = seen;
// Ink is black; what is blank is transparent.
const pen = paper.getContext('2d', { willReadFrequently: true });
pen.lineWidth = Math.max(paper.width, paper.height) / 13;
pen.lineCap = pen.lineJoin = 'round';

/** The file at hand, and whether it enters the model as it is. */
let chosen = null, isWhole = false;
let pointer = null, last = null;

for (const id of ['drawing', 'sight', 'others']) part(id).hidden = false;
part('ask').hidden = true;

const ask = asker(() => {
    if (isWhole)
        return { type: 'image/png', body: chosen, query: dark.checked ? { dark_ink: true } : {} };
    const { data } = pen.getImageData(0, 0, paper.width, paper.height);
    const ink = data.filter((_, place) => place % 4 === 3);
    const pixels = prepared(ink, paper.width, paper.height, columns, rows);
    sight(pixels ?? new Uint8ClampedArray(rows * columns));
    return pixels && { type: 'application/octet-stream', body: pixels, query: {} };
});

/** Shows what the model sees. */
function sight(pixels) {
    seen.getContext('2d').putImageData(picture(pixels, columns, rows), 0, 0);
}

/** Ink as a picture. */
function picture(ink, width, height) {
    const image = new ImageData(width, height);
    ink.forEach((amount, place) => image.data[4 * place + 3] = amount);
    return image;
}

function wipe() {
    pen.clearRect(0, 0, paper.width, paper.height);
    isWhole = false;
}

// Drawing.

function place({ clientX, clientY }) {
    const box = paper.getBoundingClientRect();
    return [(clientX - box.left) * paper.width / box.width, (clientY - box.top) * paper.height / box.height];
}

function line(to) {
    pen.beginPath();
    pen.moveTo(...last);
    pen.lineTo(...to);
    pen.stroke();
    last = to;
}

paper.addEventListener('pointerdown', event => {
    if (pointer !== null || event.button !== 0) return;
    event.preventDefault();
    pointer = event.pointerId;
    paper.setPointerCapture(pointer);
    chosen = null;
    isWhole = false;
    last = place(event);
    line(last);
    ask();
});
paper.addEventListener('pointermove', event => {
    if (event.pointerId !== pointer) return;
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const move of moves.length > 0 ? moves : [event]) line(place(move));
    ask();
});
for (const end of ['pointerup', 'pointercancel'])
    paper.addEventListener(end, event => { if (event.pointerId === pointer) pointer = null; });

part('clear').addEventListener('click', () => {
    chosen = null;
    file.value = '';
    wipe();
    ask();
});

// Files.

/** Takes the file at hand: a PNG of the model's size as it is, others by their ink. */
async function take(isNew) {
    const taken = chosen;
    const image = await createImageBitmap(taken).catch(() => null);
    if (taken !== chosen) return;
    wipe();
    // What is not an image is for the service to refuse.
    isWhole = !image || taken.type === 'image/png' && image.width === columns && image.height === rows;
    if (image) {
        const scale = Math.min(paper.width / image.width, paper.height / image.height);
        const width = Math.ceil(image.width * scale), height = Math.ceil(image.height * scale);
        if (isNew) dark.checked = isLight(pixelsOf(image, width, height), width, height);
        pen.putImageData(
            picture(inkOf(pixelsOf(image, width, height), dark.checked), width, height),
            (paper.width - width) / 2, (paper.height - height) / 2);
        if (isWhole) sight(inkOf(pixelsOf(image, columns, rows), dark.checked));
    }
    ask();
}

function pixelsOf(image, width, height) {
    const context = new OffscreenCanvas(width, height).getContext('2d');
    context.imageSmoothingEnabled = image.width > columns || image.height > rows;
    context.imageSmoothingQuality = 'high';
    context.drawImage(image, 0, 0, width, height);
    return context.getImageData(0, 0, width, height).data;
}

/** Whether most of an image's border is light: then its ink is dark. */
function isLight(pixels, width, height) {
    const ink = inkOf(pixels, false);
    const border = ink.filter((_, at) => {
        const x = at % width, y = Math.floor(at / width);
        return x === 0 || y === 0 || x === width - 1 || y === height - 1;
    });
    return border.filter(light => light > 127).length * 2 > border.length;
}

function choose(files) {
    if (files.length === 0) return;
    chosen = files[0];
    take(true);
}

file.addEventListener('change', () => choose(file.files));
dark.addEventListener('change', () => { if (chosen) take(false); });
form.addEventListener('submit', event => {
    event.preventDefault();
    choose(file.files);
});
document.addEventListener('dragover', event => event.preventDefault());
document.addEventListener('drop', event => {
    event.preventDefault();
    choose(event.dataTransfer.files);
});
