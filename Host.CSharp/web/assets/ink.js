// The amount of ink of images, and its place in a model's image.

/** The part of a model's image that the ink takes: MNIST has 20 of 28 pixels. */
const inner = 20 / 28;

/**
 * The ink of pixels, 0 to 255, as the service reads it from a PNG.
 * @param pixels Red, green, blue and opacity of each pixel.
 * @param isDark Whether dark pixels are ink.
 */
export function inkOf(pixels, isDark) {
    return Uint8ClampedArray.from({ length: pixels.length / 4 }, (_, place) => {
        const [red, green, blue, opacity] = pixels.subarray(4 * place, 4 * place + 4);
        const light = (0.299 * red + 0.587 * green + 0.114 * blue) / 255;
        return (isDark ? 1 - light : light) * opacity;
    });
}

/**
 * A drawing as the digits of MNIST were made: the box of its ink is scaled into the inner part of the image, and the
 * centre of mass is put in the middle.
 * @param ink A byte a pixel of a drawing of width × height.
 * @returns A byte a pixel of an image of columns × rows; null without ink.
 */
export function prepared(ink, width, height, columns, rows) {
    const box = boxOf(ink, width, height);
    if (!box) return null;
    const scale = Math.min(inner * columns / (box.right - box.left), inner * rows / (box.bottom - box.top));
    let left = (box.left + box.right - columns / scale) / 2, top = (box.top + box.bottom - rows / scale) / 2;
    const [x, y] = centreOf(shrunk(ink, width, height, columns, rows, scale, left, top), columns);
    left += (x - columns / 2) / scale;
    top += (y - rows / 2) / scale;
    return shrunk(ink, width, height, columns, rows, scale, left, top);
}

/** The box of all pixels with a tenth or more of the most ink. */
function boxOf(ink, width, height) {
    const least = ink.reduce((one, other) => Math.max(one, other), 0) / 10;
    if (least === 0) return null;
    const box = { left: width, top: height, right: 0, bottom: 0 };
    ink.forEach((amount, place) => {
        if (amount < least) return;
        const x = place % width, y = Math.floor(place / width);
        box.left = Math.min(box.left, x);
        box.top = Math.min(box.top, y);
        box.right = Math.max(box.right, x + 1);
        box.bottom = Math.max(box.bottom, y + 1);
    });
    return box;
}

/** The image whose pixels are the means of squares of the drawing; the first begins at left and top. */
function shrunk(ink, width, height, columns, rows, scale, left, top) {
    const across = Array.from({ length: columns }, (_, x) => overlaps(left + x / scale, 1 / scale, width));
    const down = Array.from({ length: rows }, (_, y) => overlaps(top + y / scale, 1 / scale, height));
    return Uint8ClampedArray.from({ length: rows * columns }, (_, place) => {
        let sum = 0;
        for (const [y, high] of down[Math.floor(place / columns)])
            for (const [x, wide] of across[place % columns]) sum += ink[y * width + x] * high * wide;
        return sum * scale * scale;
    });
}

/** The pixels that a stretch covers, with how much of each. */
function overlaps(start, length, count) {
    const covered = [];
    for (let at = Math.max(0, Math.floor(start)); at < Math.min(count, start + length); at++)
        covered.push([at, Math.min(at + 1, start + length) - Math.max(at, start)]);
    return covered;
}

/** The centre of mass of an image. */
function centreOf(pixels, columns) {
    let mass = 0, x = 0, y = 0;
    pixels.forEach((amount, place) => {
        mass += amount;
        x += amount * (place % columns + 0.5);
        y += amount * (Math.floor(place / columns) + 0.5);
    });
    return [x / mass, y / mass];
}
