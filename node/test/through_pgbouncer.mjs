/**
 * Many accounts of one process over one pool, all at once: tests/test_pgbouncer.py says what must be there then.
 *
 *     node through_pgbouncer.mjs '{"url": "postgresql://…", "accounts": 200, "prepare": true}'
 */
import assert from 'node:assert/strict'
import pg from 'pg'
import { useDatabaseAuthState } from '../src/index.js'
import { baileys, libsignal } from './library.mjs'

const { url, accounts, prepare } = JSON.parse(process.argv[2])
const options = { baileys: await baileys(7), libsignal, prepare }
const pool = new pg.Pool({ connectionString: url, max: 40 })

async function live(number) {
    const { state, saveCreds, close } = await useDatabaseAuthState(pool, `account-${number}`, options)
    const batch = turn => Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`${n}.0`, { number, turn, n }]))
    for (const turn of [1, 2, 2]) {
        await state.keys.set({ session: batch(turn) })
    }
    await state.keys.set({ session: { '9.0': null } })
    for (let n = 0; n < 10; n++) {
        state.creds.accountSyncCounter = n
        saveCreds()
    }
    const expected = { ...batch(2), '9.0': null }
    assert.deepEqual(await state.keys.get('session', Object.keys(expected)), expected)
    await close()
}

await Promise.all(Array.from({ length: accounts }, (_, number) => live(number)))
await pool.end()
