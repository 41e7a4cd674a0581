/**
 * An account in the database beside the same account in a folder, for tests/test_node_interop.py.
 *
 *     SERVICE_URL=… [PG_AUTH_STATE_KEYS=…] node interop.mjs write|compare <version of Baileys> <company> <folder> <{type: [ids]} on stdin
 *
 * write     everything that useMultiFileAuthState reads from the folder, through useDatabaseAuthState
 * compare   both read the same, value for value; prints it in BufferJSON form: {"creds", "keys": {type: {id: value}}}
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { load } from '../../tests/baileys/baileys.mjs'
import { useDatabaseAuthState } from '../src/index.js'
import { libsignal, SERVICE } from './library.mjs'

const [action, version, company, folder] = process.argv.slice(2)
const asked = JSON.parse(readFileSync(0, 'utf8'))
const { PG_AUTH_STATE_KEYS: keys } = process.env
const encryption = keys && JSON.parse(readFileSync(keys, 'utf8'))
const baileys = await load(version)
const connections = new pg.Pool({ connectionString: SERVICE, max: 2 })
const files = await baileys.useMultiFileAuthState(folder)
const keysOf = async ({ state }) => Object.fromEntries(await Promise.all(
    Object.entries(asked).map(async ([type, ids]) => [type, await state.keys.get(type, ids)])
))

if (action === 'write') {
    const database = await useDatabaseAuthState(connections, company, { baileys, libsignal, encryption, bindSignalJobs: false })
    for (const name in database.state.creds) {
        delete database.state.creds[name]
    }
    Object.assign(database.state.creds, files.state.creds)
    await database.saveCreds()
    await database.state.keys.set(await keysOf(files))
    await database.close()
} else {
    const inFiles = await keysOf(files)
    for (const lease of [undefined, { holder: 'interop' }]) {
        const database = await useDatabaseAuthState(connections, company, { baileys, libsignal, encryption, lease })
        assert.deepEqual(database.state.creds, files.state.creds)
        assert.deepEqual(await keysOf(database), inFiles)
        if (lease) {
            const { creds } = database.state
            const read = { creds, keys: await keysOf(database) }
            process.stdout.write(JSON.stringify(read, baileys.BufferJSON.replacer))
        }
        await database.close()
    }
}
await connections.end()
