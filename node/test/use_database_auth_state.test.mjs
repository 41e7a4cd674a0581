import assert from 'node:assert/strict'
import { test } from 'node:test'
import { useDatabaseAuthState } from '../src/index.js'
import { testsOverAnyTransport } from './any_transport.mjs'
import { baileys, libsignal, pool } from './library.mjs'

const options = { baileys: await baileys(7), libsignal }
const db = pool()

testsOverAnyTransport(companyId => useDatabaseAuthState(db, companyId, options), options.baileys)

test('a database that cannot be reached is an error, not "no creds"', async () => {
    const nowhere = pool({ connectionString: 'postgresql://app@127.0.0.1:1/none' })
    await assert.rejects(useDatabaseAuthState(nowhere, 'creds', { ...options, retryMs: 200 }), { code: 'ECONNREFUSED' })
})
