/**
 * Reads folders with the real useMultiFileAuthState and compares, one request per line, until stdin ends.
 *
 *     node serve_folders.mjs [--baileys 7|7rc4|6|617]
 *
 * stdin   {"folder", "creds", "keys": {type: {id: value}}} per line; values as they are stored, strings that
 *         jsonb refuses already turned back
 * stdout  a list of what differs per line: "creds", or the type and id of a key; [] when every get gives
 *         what the library's own BufferJSON makes of the value
 */
import { createInterface } from 'node:readline'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { load } from './baileys.mjs'

const { values } = parseArgs({ options: { baileys: { type: 'string', default: '7' } } })
const lib = await load(values.baileys)

const revived = value => JSON.parse(JSON.stringify(value), lib.BufferJSON.reviver)

function expected(type, value) {
    const own = revived(value)
    return type === 'app-state-sync-key' && own ? lib.proto.Message.AppStateSyncKeyData.fromObject(own) : own
}

for await (const line of createInterface({ input: process.stdin })) {
    const { folder, creds, keys } = JSON.parse(line)
    const { state } = await lib.useMultiFileAuthState(folder)
    const differing = []
    if (creds && !isDeepStrictEqual(state.creds, revived(creds))) {
        differing.push('creds')
    }
    for (const type in keys) {
        const found = await state.keys.get(type, Object.keys(keys[type]))
        for (const id in keys[type]) {
            if (!isDeepStrictEqual(found[id], expected(type, keys[type][id]))) {
                differing.push(`${type} ${id}`)
            }
        }
    }
    process.stdout.write(`${JSON.stringify(differing)}\n`)
}
