// The same in Chromium: node chromium.mjs FOLDER PROGRAM. The page reads the bundle from here and posts what it found.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';

const [folder, program] = process.argv.slice(2);
const types = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.json': 'application/json' };
const page = `<!DOCTYPE html><title>same bits</title><script type="module">
    const post = text => fetch('/found', { method: 'POST', body: text });
    try {
        const { dotnet } = await import('/bundle/dotnet.js');
        const { getAssemblyExports } = await dotnet.create();
        const { Count, Line, Hash } = (await getAssemblyExports('SameBits.Browser.dll')).Pipeline.SameBits.Program;
        const lines = Array.from({ length: Count() }, (_, i) => Line(i));
        await post([...lines, Hash(lines)].join('\\n'));
    } catch (fault) {
        await post('fault: ' + fault);
    }
</script>`;

const profile = await mkdtemp(join(tmpdir(), 'same-bits-'));
let browser;
const server = createServer(async (request, response) => {
    if (request.url === '/') {
        response.setHeader('Content-Type', 'text/html');
        response.end(page);
    } else if (request.url === '/found') {
        let text = '';
        for await (const part of request)
            text += part;
        response.end();
        console.log(text);
        process.exitCode = text.startsWith('fault') ? 1 : 0;
        browser.kill();
        server.close();
    } else {
        try {
            const name = basename(request.url);
            response.setHeader('Content-Type', types[extname(name)] ?? 'application/octet-stream');
            response.end(await readFile(join(folder, name)));
        } catch {
            response.writeHead(404).end();
        }
    }
});

server.listen(0, '127.0.0.1', () => {
    const address = `http://127.0.0.1:${server.address().port}/`;
    const options = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', `--user-data-dir=${profile}`];
    browser = spawn(program, [...options, address], { stdio: 'ignore' });
    browser.on('exit', async () => {
        server.closeAllConnections();
        server.close();
        await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    });
});
