import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IdentityChangeRefused, InvalidInput, useDatabaseAuthState } from '../src/index.js'
import { baileys, libsignal, pool } from './library.mjs'

const options = { baileys: await baileys(7), libsignal }
const db = pool()

test('creds are made once, and are the same after a restart', async () => {
    const first = await useDatabaseAuthState(db, 'creds', options)
    first.state.creds.me = { id: '5511900000001:2@s.whatsapp.net', name: 'A\0na \ud83d' }
    await first.saveCreds()
    const second = await useDatabaseAuthState(db, 'creds', options)
    assert.deepEqual(second.state.creds, JSON.parse(JSON.stringify(first.state.creds, options.baileys.BufferJSON.replacer), options.baileys.BufferJSON.reviver))
})

test('two that start together end with the same identity', async () => {
    const both = await Promise.all([1, 2, 3, 4].map(() => useDatabaseAuthState(db, 'together', options)))
    const keys = both.map(({ state }) => state.creds.noiseKey.private.toString('hex'))
    assert.equal(new Set(keys).size, 1)
})

test('what is not there is an explicit null', async () => {
    const { state } = await useDatabaseAuthState(db, 'nulls', options)
    assert.deepEqual(await state.keys.get('session', ['1.0', '2.0']), { '1.0': null, '2.0': null })
    assert.deepEqual(await state.keys.get('session', []), {})
})

test('bytes come back as bytes, applied once', async () => {
    const { state } = await useDatabaseAuthState(db, 'bytes', options)
    await state.keys.set({ 'identity-key': { 'a.0': new Uint8Array([1, 2, 3]) }, 'sender-key': { s: Buffer.from([4]) } })
    assert.deepEqual(await state.keys.get('identity-key', ['a.0']), { 'a.0': Buffer.from([1, 2, 3]) })
    assert.deepEqual(await state.keys.get('sender-key', ['s']), { s: Buffer.from([4]) })
})

test('an app state sync key is one of the library', async () => {
    const { state } = await useDatabaseAuthState(db, 'appstate', options)
    const { AppStateSyncKeyData } = options.baileys.proto.Message
    const key = AppStateSyncKeyData.fromObject({ keyData: Buffer.alloc(32, 7), timestamp: 5 })
    await state.keys.set({ 'app-state-sync-key': { 'AA/+=': key } })
    const { 'AA/+=': read } = await state.keys.get('app-state-sync-key', ['AA/+='])
    assert.ok(read instanceof AppStateSyncKeyData)
    assert.deepEqual(Buffer.from(read.keyData), Buffer.alloc(32, 7))
})

test('a database that cannot be reached is an error, not "no creds"', async () => {
    const nowhere = pool({ connectionString: 'postgresql://app@127.0.0.1:1/none' })
    await assert.rejects(useDatabaseAuthState(nowhere, 'creds', { ...options, retryMs: 200 }), { code: 'ECONNREFUSED' })
})

test('errors of the database are exceptions of this package', async () => {
    const { state, saveCreds } = await useDatabaseAuthState(db, 'refusals', options)
    await assert.rejects(state.keys.set({ '': { x: 1 } }), InvalidInput)
    await assert.rejects(state.keys.set({ session: { x: { 'S3CRET\0': 1 } } }), InvalidInput)
    Object.assign(state.creds, { me: { id: '1:2@s.whatsapp.net' } })
    await saveCreds()
    state.creds.noiseKey = options.baileys.initAuthCreds().noiseKey
    await assert.rejects(saveCreds(), IdentityChangeRefused)
})

test('fifty saves that nobody awaits end with the newest, as it was at the call', async () => {
    const { state, saveCreds, close } = await useDatabaseAuthState(db, 'fifty', options)
    for (let i = 0; i < 50; i++) {
        state.creds.accountSyncCounter = i
        saveCreds()
    }
    state.creds.accountSyncCounter = 1000
    await close()
    const again = await useDatabaseAuthState(db, 'fifty', options)
    assert.equal(again.state.creds.accountSyncCounter, 49)
})

test('the last of many writes of one key wins, and a read sees it', async () => {
    const { state } = await useDatabaseAuthState(db, 'order', options)
    for (let n = 1; n <= 50; n++) {
        state.keys.set({ session: { '1.0': { n } } })
    }
    assert.deepEqual(await state.keys.get('session', ['1.0']), { '1.0': { n: 50 } })
})

test('keys of a type are listed', async () => {
    const { state } = await useDatabaseAuthState(db, 'listed', options)
    await state.keys.set({ session: Object.fromEntries(Array.from({ length: 1500 }, (_, n) => [`${n}.0`, { n }])) })
    const ids = []
    for await (const id of state.keys.listIds('session')) {
        ids.push(id)
    }
    assert.equal(ids.length, 1500)
    const all = new Map()
    for await (const [id, value] of state.keys.list('session')) {
        all.set(id, value)
    }
    assert.deepEqual(all.get('7.0'), { n: 7 })
    await state.keys.clear()
    assert.deepEqual(await state.keys.get('session', ['7.0']), { '7.0': null })
})
