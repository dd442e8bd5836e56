// Trains the fixed set in the browser, and compares its lines with those of another machine.

const part = id => document.getElementById(id);
const { bundle, lines } = part('bits').dataset;
const train = part('train'), verdict = part('verdict');
const pause = () => new Promise(resolve => setTimeout(resolve));

async function run() {
  train.disabled = true;
  verdict.textContent = 'Loading';
  // The other machine trains meanwhile.
  const answer = fetch(lines, { cache: 'no-cache' });
  const { dotnet } = await import(`${new URL(bundle, document.baseURI)}/dotnet.js`);
  const { getAssemblyExports } = await dotnet.create();
  const { Count, Line, Hash } = (await getAssemblyExports('SameBits.Browser.dll')).Pipeline.SameBits.Program;

  const found = [];
  for (let i = 0; i < Count(); i++) {
    verdict.textContent = `Training ${i + 1} of ${Count()}`;
    await pause();
    found.push(Line(i));
  }
  part('browser').textContent = Hash(found);

  const other = await answer;
  if (!other.ok) throw new Error(`the lines to compare with: expected an answer, found status ${other.status}`);
  const expected = (await other.text()).trimEnd().split('\n');
  part('service').textContent = Hash(expected);
  const different = found.find((line, i) => line !== expected[i]);
  verdict.textContent = different || found.length !== expected.length
    ? `Different bits. The first case that differs: ${(different ?? expected.at(-1)).split('  ')[1]}`
    : `Same bits in all ${found.length} cases.`;
}

train.hidden = false;
train.addEventListener('click', () => run().catch(fault => {
  verdict.textContent = `Not trained: ${fault.message}`;
  train.disabled = false;
}));
