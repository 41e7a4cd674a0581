import assert from 'node:assert/strict'
import { test } from 'node:test'
import { useDatabaseAuthState } from '../src/index.js'
import { baileys, libsignal, pool } from './library.mjs'
import { testSessions } from './scenario.mjs'

await testSessions('617')

const db = pool()

// It is CommonJS, and `import` gives no name to its `proto`.
test('Baileys 6.17.16 works as import gives it', async () => {
    const imported = await baileys(617)
    assert.equal(imported.proto, undefined)
    const { state } = await useDatabaseAuthState(db, 'imported', { baileys: imported, libsignal })
    const { AppStateSyncKeyData } = imported.default.proto.Message
    const key = AppStateSyncKeyData.fromObject({ keyData: Buffer.alloc(32, 7), timestamp: 5 })
    await state.keys.set({ 'app-state-sync-key': { AAAA: key } })
    const { AAAA: read } = await state.keys.get('app-state-sync-key', ['AAAA'])
    assert.ok(read instanceof AppStateSyncKeyData)
    assert.deepEqual(Buffer.from(read.keyData), Buffer.alloc(32, 7))
})
