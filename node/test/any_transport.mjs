/** What an account does over any way to the database. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IdentityChangeRefused, InvalidInput } from '../src/index.js'

/** @param {(companyId: string) => Promise<any>} open @param {any} baileys */
export function testsOverAnyTransport(open, baileys) {
    test('creds are made once, and are the same after a restart', async () => {
        const first = await open('creds')
        first.state.creds.me = { id: '5511900000001:2@s.whatsapp.net', name: 'A\0na \ud83d' }
        await first.saveCreds()
        const second = await open('creds')
        assert.deepEqual(second.state.creds, JSON.parse(JSON.stringify(first.state.creds, baileys.BufferJSON.replacer), baileys.BufferJSON.reviver))
    })

    test('two that start together end with the same identity', async () => {
        const both = await Promise.all([1, 2, 3, 4].map(() => open('together')))
        const keys = both.map(({ state }) => state.creds.noiseKey.private.toString('hex'))
        assert.equal(new Set(keys).size, 1)
    })

    test('what is not there is an explicit null', async () => {
        const { state } = await open('nulls')
        assert.deepEqual(await state.keys.get('session', ['1.0', '2.0']), { '1.0': null, '2.0': null })
        assert.deepEqual(await state.keys.get('session', []), {})
    })

    test('bytes come back as bytes, applied once', async () => {
        const { state } = await open('bytes')
        await state.keys.set({ 'identity-key': { 'a.0': new Uint8Array([1, 2, 3]) }, 'sender-key': { s: Buffer.from([4]) } })
        assert.deepEqual(await state.keys.get('identity-key', ['a.0']), { 'a.0': Buffer.from([1, 2, 3]) })
        assert.deepEqual(await state.keys.get('sender-key', ['s']), { s: Buffer.from([4]) })
    })

    test('an app state sync key is one of the library', async () => {
        const { state } = await open('appstate')
        const { AppStateSyncKeyData } = baileys.proto.Message
        const key = AppStateSyncKeyData.fromObject({ keyData: Buffer.alloc(32, 7), timestamp: 5 })
        await state.keys.set({ 'app-state-sync-key': { 'AA/+=': key } })
        const { 'AA/+=': read } = await state.keys.get('app-state-sync-key', ['AA/+='])
        assert.ok(read instanceof AppStateSyncKeyData)
        assert.deepEqual(Buffer.from(read.keyData), Buffer.alloc(32, 7))
    })

    test('NUL, half of a pair and what looks like our own forms come back as they were', async () => {
        const { state } = await open('strings')
        const value = {
            nul: 'a\0b', half: '\ud83d', other: 'x\udc00y', pair: '😀', escaped: '\\u0000', list: ['\0', null, 1.5, true],
            text: '{"type": "Buffer"}', deep: { bytes: Buffer.from([0, 255]), name: 'ñ\u2028' }
        }
        await state.keys.set({ tctoken: { 'a/b+c=': value, __proto__x: value, 1: value } })
        assert.deepEqual(await state.keys.get('tctoken', ['a/b+c=', '1', '2']), { 'a/b+c=': value, 1: value, 2: null })
    })

    test('a deleted key is an explicit null again', async () => {
        const { state } = await open('deleted')
        await state.keys.set({ session: { '1.0': { n: 1 }, '2.0': { n: 2 } } })
        await state.keys.set({ session: { '1.0': null, '3.0': { n: 3 } } })
        assert.deepEqual(await state.keys.get('session', ['1.0', '2.0', '3.0']), { '1.0': null, '2.0': { n: 2 }, '3.0': { n: 3 } })
    })

    test('errors of the database are exceptions of this package', async () => {
        const { state, saveCreds } = await open('refusals')
        await assert.rejects(state.keys.set({ '': { x: 1 } }), InvalidInput)
        await assert.rejects(state.keys.set({ session: { x: { 'S3CRET\0': 1 } } }), InvalidInput)
        Object.assign(state.creds, { me: { id: '1:2@s.whatsapp.net' } })
        await saveCreds()
        state.creds.noiseKey = baileys.initAuthCreds().noiseKey
        await assert.rejects(saveCreds(), IdentityChangeRefused)
    })

    test('fifty saves that nobody awaits end with the newest, as it was at the call', async () => {
        const { state, saveCreds, close } = await open('fifty')
        for (let i = 0; i < 50; i++) {
            state.creds.accountSyncCounter = i
            saveCreds()
        }
        state.creds.accountSyncCounter = 1000
        await close()
        const again = await open('fifty')
        assert.equal(again.state.creds.accountSyncCounter, 49)
    })

    test('the last of many writes of one key wins, and a read sees it', async () => {
        const { state } = await open('order')
        for (let n = 1; n <= 50; n++) {
            state.keys.set({ session: { '1.0': { n } } })
        }
        assert.deepEqual(await state.keys.get('session', ['1.0']), { '1.0': { n: 50 } })
    })

    test('keys of a type are listed', async () => {
        const { state } = await open('listed')
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
        assert.equal(all.size, 1500)
        assert.deepEqual(all.get('7.0'), { n: 7 })
        await state.keys.clear()
        assert.deepEqual(await state.keys.get('session', ['7.0']), { '7.0': null })
    })
}
