/**
 * The same life as sessions_over_the_database_*.test.mjs, encrypted; for tests/test_node_encrypted.py, which then
 * searches a dump of the database for what is printed into a file.
 *
 *     SERVICE_URL=… SUPERUSER_URL=… node encrypted_sessions.mjs <version of Baileys> <file>
 *
 * {"all": every string that an account ever had, "control": those which the plain account "control" has now}
 */
import { writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { useDatabaseAuthState } from '../src/index.js'
import { encryption } from './jwe.mjs'
import { libsignal, pool } from './library.mjs'
import { Database, testSessions } from './scenario.mjs'

const [version, file] = process.argv.slice(2)
const db = pool()

let opened = 0
const { states, lib, files } = await testSessions(version, (lib, superuser) => ({
    'encrypted, every second time from memory under a lease':
        new Database(lib, superuser, 'sealed-', { encryption, holder: () => opened++ % 4 < 2 ? undefined : 'one' })
}))

/** Every string of a value as it is stored, and names of members that are no words: the keys of ratchets. */
function* strings(value) {
    if (typeof value === 'string') {
        const isText = value.isWellFormed() && !value.includes('\0')
        yield isText ? value : Buffer.from(value, 'utf16le').toString('base64')
    } else if (typeof value === 'object' && value !== null) {
        for (const [name, item] of Object.entries(value)) {
            if (name.length > 24) {
                yield name
            }
            yield* strings(item)
        }
    }
}

test('a plain account beside them shows that a search finds what is there', async () => {
    const { state, saveCreds, close } = await useDatabaseAuthState(db, 'control', { baileys: lib, libsignal })
    const found = await files.reads('ana')
    Object.assign(state.creds, found.creds)
    await saveCreds()
    for (const [key, value] of Object.entries(found.keys)) {
        const [type, id] = [key.slice(0, key.indexOf(' ')), key.slice(key.indexOf(' ') + 1)]
        await state.keys.set({ [type]: { [id]: value } })
    }
    await close()
    const stored = (state, name) => [state[`${name} is stored`].creds, ...Object.values(state[`${name} is stored`].keys)]
    const all = states.flatMap(state => [...stored(state, 'ana'), ...stored(state, 'rui')])
    const control = stored(states.at(-1), 'ana')
    await writeFile(file, JSON.stringify({ all: [...new Set(strings(all))], control: [...new Set(strings(control))] }))
})
