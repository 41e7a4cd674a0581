import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { InvalidInput, UnsafeRequest, useAuthState } from '../src/index.js'
import { baileys, libsignal, pool } from './library.mjs'

const options = { baileys: await baileys(7), libsignal }
const db = pool()
const root = await mkdtemp(join(tmpdir(), 'use-auth-state-'))
test.after(() => rm(root, { recursive: true }))

function open(companyId, flag, more = {}) {
    const environment = flag === undefined ? {} : { USE_DATABASE_AUTH_STATE: flag }
    return useAuthState({ folder: join(root, companyId), pool: db, companyId, environment, ...options, ...more })
}

const rows = async companyId => (await db.query('select auth_creds_version($1) as version', [companyId])).rows[0].version

test('without the flag the account lives in its folder', async () => {
    for (const flag of [undefined, '', 'false', 'off', '0', 'No']) {
        const { state, saveCreds, close, lease } = await open('files', flag)
        await saveCreds()
        await state.keys.set({ session: { '1.0': { n: 1 } } })
        assert.deepEqual(await state.keys.get('session', ['1.0']), { '1.0': { n: 1 } })
        assert.equal(lease, null)
        await close()
    }
    assert.deepEqual((await readdir(join(root, 'files'))).sort(), ['creds.json', 'session-1.0.json'])
    assert.equal(await rows('files'), null)
})

test('with the flag it lives in the database', async () => {
    for (const flag of ['true', '1', 'YES', ' on ']) {
        const { state, close } = await open('database', flag)
        await state.keys.set({ session: { '1.0': { n: 1 } } })
        await close()
    }
    assert.ok(await rows('database'))
    await assert.rejects(readdir(join(root, 'database')))
})

test('a flag that is neither is refused, since a guess could mean the wrong account', async () => {
    await assert.rejects(open('files', 'maybe'), InvalidInput)
})

test('an account that was not imported yet is refused, lest it is paired anew', async () => {
    const { saveCreds } = await open('left-behind', 'false')
    await saveCreds()
    await assert.rejects(open('left-behind', 'true'), error => {
        assert.ok(error instanceof UnsafeRequest)
        assert.match(error.hint, /pg-auth-state import/)
        return true
    })
    assert.equal(await rows('left-behind'), null)
})

test('a database that cannot be reached is no account that was not imported', async () => {
    const nowhere = pool({ connectionString: 'postgresql://app@127.0.0.1:1/none' })
    const { saveCreds } = await open('unreachable', 'false')
    await saveCreds()
    await assert.rejects(open('unreachable', 'true', { pool: nowhere, retryMs: 100 }), { code: 'ECONNREFUSED' })
})
