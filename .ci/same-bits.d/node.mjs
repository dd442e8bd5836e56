// Prints the fixed set's lines and hash: node node.mjs FOLDER, with the folder that holds dotnet.js.
import { pathToFileURL } from 'node:url';

const { dotnet } = await import(pathToFileURL(`${process.argv[2]}/dotnet.js`));
const { getAssemblyExports } = await dotnet.create();
const { Count, Line, Hash } = (await getAssemblyExports('SameBits.Browser.dll')).Pipeline.SameBits.Program;
const lines = Array.from({ length: Count() }, (_, i) => Line(i));
console.log([...lines, Hash(lines)].join('\n'));
