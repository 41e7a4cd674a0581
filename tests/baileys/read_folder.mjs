/**
 * What the real useMultiFileAuthState reads from a folder.
 *
 *     echo '{"session":["5511900000004.0"]}' | node read_folder.mjs [--baileys 7|7rc4|6|617] <folder>
 *
 * stdin   {type: [id, …]}, may be empty
 * stdout  {"version", "creds", "keys": {type: {id: value or null}}} in BufferJSON form;
 *         creds is null where the library found none that it could read and made up new ones
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { load } from './baileys.mjs'

const { values, positionals } = parseArgs({
    options: { baileys: { type: 'string', default: '7' } },
    allowPositionals: true
})
const [folder] = positionals
if (!folder || positionals.length > 1) {
    process.stderr.write('usage: read_folder.mjs [--baileys 7|7rc4|6|617] <folder>, {type: [ids]} on stdin\n')
    process.exit(2)
}

const asked = JSON.parse(readFileSync(0, 'utf8').trim() || '{}')
const lib = await load(values.baileys)
const { state } = await lib.useMultiFileAuthState(folder)
const { state: again } = await lib.useMultiFileAuthState(folder)
const invented = Buffer.compare(state.creds.noiseKey.public, again.creds.noiseKey.public) !== 0

const keys = {}
for (const type in asked) {
    const read = await state.keys.get(type, asked[type])
    keys[type] = Object.fromEntries(asked[type].map(id => [id, read[id] ?? null]))
}
const answer = { version: lib.version, creds: invented ? null : state.creds, keys }
process.stdout.write(`${JSON.stringify(answer, lib.BufferJSON.replacer)}\n`)
