/** What other programs stored, over both doors: from the database, from memory under a lease, plain and encrypted. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AuthStateError, InvalidInput, UnreadableValue } from '../src/index.js'
import { doors, encrypted, plantCreds, plantCredsText, plantKey } from './doors.mjs'
import { sql } from './faults.mjs'
import { encryption, opened } from './jwe.mjs'
import { baileys, usableCreds } from './library.mjs'

const library = await baileys(7)
const WAYS = {
    'plain': {},
    'plain, from memory': { lease: { holder: 'test' } },
    'plain, from memory without room for it': { lease: { holder: 'test' }, maxCacheBytes: 0 },
    'encrypted': { encryption },
    'encrypted, from memory': { encryption, lease: { holder: 'test' } },
    'plain in an account that becomes encrypted': { encryption, isPlain: true },
    'plain in an account that becomes encrypted, from memory': { encryption, isPlain: true, lease: { holder: 'test' } }
}

const storedCreds = async companyId => (await sql('select creds from whatsapp_auth where company_id = $1', [companyId]))[0].creds
const storedKey = async (companyId, type, id) =>
    (await sql('select value from whatsapp_keys where company_id = $1 and key_type = $2 and key_id = $3', [companyId, type, id]))[0]?.value

/** An account as another program left it: `keys` is {type: {id: JSON text}}. */
async function left(companyId, way, creds, keys = {}) {
    const isEncrypted = way.encryption && !way.isPlain
    const text = JSON.stringify(creds)
    await plantCredsText(companyId, isEncrypted ? JSON.stringify(await encrypted(companyId, 'creds', null, text)) : text)
    for (const [type, values] of Object.entries(keys)) {
        for (const [id, value] of Object.entries(values)) {
            await plantKey(companyId, type, id, isEncrypted ? JSON.stringify(await encrypted(companyId, type, id, value)) : value)
        }
    }
}

const plainOf = stored => typeof stored === 'string' ? JSON.parse(opened(stored).text) : stored
const bytes = (...numbers) => Buffer.from(numbers)
const current = (...numbers) => ({ type: 'Buffer', data: bytes(...numbers).toString('base64') })

const OLD = {
    noiseKey: { private: { type: 'Buffer', data: [1, 2, 3] }, public: { buffer: true, data: 'BAU=' } },
    signedIdentityKey: { private: { 0: 6, 1: 255 }, public: { type: 'Buffer', value: 'Bw==' } },
    signalIdentities: [{ identifierKey: { buffer: true, data: [8] } }]
}
const READ = {
    noiseKey: { private: bytes(1, 2, 3), public: bytes(4, 5) },
    signedIdentityKey: { private: bytes(6, 255), public: bytes(7) },
    signalIdentities: [{ identifierKey: bytes(8) }]
}
const CURRENT = {
    noiseKey: { private: current(1, 2, 3), public: current(4, 5) },
    signedIdentityKey: { private: current(6, 255), public: current(7) },
    signalIdentities: [{ identifierKey: current(8) }]
}

/** Texts of values that JavaScript cannot hold, as a program of another language stores them. */
const UNREADABLE = {
    'a number of 401 digits': '1e400',
    'a negative one': '-1e400',
    'one deep inside': '{"_sessions": {"a": [{"n": 1e309}]}, "version": "v1"}',
    'one beside bytes': '{"private": {"type": "Buffer", "data": "AQID"}, "n": 1e400}',
    'one in the numbers of bytes': '{"type": "Buffer", "data": [1, 1e400]}',
    'one by index': '{"0": 1e400}',
    'bytes in nesting that is too deep': `${'['.repeat(4000)}{"0": 1}${']'.repeat(4000)}`
}

const refusal = (companyId, keyType, keyId) => error => {
    assert.ok(error instanceof UnreadableValue && error instanceof AuthStateError)
    assert.deepEqual([error.code, error.companyId, error.keyType, error.keyId], ['', companyId, keyType, keyId])
    assert.ok(error.message.includes(keyId ?? 'creds') && error.detail && error.hint)
    return true
}

for (const [over, { open, calls }] of Object.entries(await doors(library))) {
    for (const [how, way] of Object.entries(WAYS)) {
        const { isPlain, ...options } = way

        test(`over ${over}, ${how}: older forms of bytes are read, and are written in the current one`, async () => {
            const companyId = `${over} ${how} old`
            await left(companyId, way, OLD, { 'pre-key': { 1: JSON.stringify(OLD.noiseKey) }, 'sender-key': { s: '{"0": 5, "1": 255}' } })
            const auth = await open(companyId, options)
            assert.deepEqual(auth.state.creds, READ)
            assert.deepEqual(await auth.state.keys.get('pre-key', ['1', '2']), { 1: READ.noiseKey, 2: null })
            assert.deepEqual(await auth.state.keys.get('sender-key', ['s']), { s: bytes(5, 255) })
            const listed = []
            for await (const entry of auth.state.keys.list('pre-key')) {
                listed.push(entry)
            }
            assert.deepEqual(listed, [['1', READ.noiseKey]])

            await auth.saveCreds()
            await auth.state.keys.set({ 'pre-key': await auth.state.keys.get('pre-key', ['1']) })
            assert.deepEqual(plainOf(await storedCreds(companyId)), CURRENT)
            assert.deepEqual(plainOf(await storedKey(companyId, 'pre-key', '1')), CURRENT.noiseKey)
            assert.deepEqual(await auth.state.keys.get('pre-key', ['1']), { 1: READ.noiseKey })
            await auth.close()
        })

        test(`over ${over}, ${how}: paired creds in older forms stay the same identity when they are saved`, async () => {
            const companyId = `${over} ${how} paired`
            const me = { id: '5511900000001:7@s.whatsapp.net' }
            await left(companyId, way, { ...OLD, me })
            const auth = await open(companyId, options)
            await auth.saveCreds()
            assert.deepEqual(plainOf(await storedCreds(companyId)), { ...CURRENT, me })
            await auth.close()
        })

        test(`over ${over}, ${how}: a value that JavaScript cannot hold is an error every time, and other keys go on working`, async () => {
            const companyId = `${over} ${how} unreadable`
            const texts = way.encryption && !isPlain // JSON in a JWE keeps its spelling: 1e400, where jsonb has 401 digits
                ? { ...UNREADABLE, 'digits with an exponent': `${'9'.repeat(250)}e99`, 'an exponent with zeros': '1e00000400' }
                : UNREADABLE
            await left(companyId, way, usableCreds(), { session: { ...texts, good: '{"n": 1}' } })
            const auth = await open(companyId, options)
            for (const id of [...Object.keys(texts), ...Object.keys(texts)]) {
                await assert.rejects(auth.state.keys.get('session', [id]), refusal(companyId, 'session', id))
                await assert.rejects(auth.state.keys.get('session', ['good', id, 'none']), refusal(companyId, 'session', id))
                assert.deepEqual(await auth.state.keys.get('session', ['good', 'none']), { good: { n: 1 }, none: null })
            }
            await assert.rejects(async () => {
                for await (const [id] of auth.state.keys.list('session')) {
                    assert.fail(id)
                }
            }, UnreadableValue)
            const [spoiled, other] = Object.keys(texts)
            const before = await storedKey(companyId, 'session', spoiled)
            await auth.state.keys.set({ session: { good: { n: 2 } } })
            await auth.saveCreds()
            assert.deepEqual(await storedKey(companyId, 'session', spoiled), before)
            await auth.state.keys.set({ session: { [spoiled]: { n: 3 }, [other]: null } })
            assert.deepEqual(await auth.state.keys.get('session', [spoiled, other, 'good']), { [spoiled]: { n: 3 }, [other]: null, good: { n: 2 } })
            await auth.close()
        })

        test(`over ${over}, ${how}: creds that JavaScript cannot hold are an error, and stay as they are`, async () => {
            for (const [what, value] of Object.entries(UNREADABLE)) {
                const companyId = `${over} ${how} creds, ${what}`
                const text = `${JSON.stringify(usableCreds()).slice(0, -1)}, "more": ${value}}`
                const isEncrypted = way.encryption && !isPlain
                await plantCredsText(companyId, isEncrypted ? JSON.stringify(await encrypted(companyId, 'creds', null, text)) : text)
                const [before] = await sql('select md5(creds::text) from whatsapp_auth where company_id = $1', [companyId])
                await assert.rejects(open(companyId, options), refusal(companyId, 'creds', null))
                assert.deepEqual(await sql('select md5(creds::text) from whatsapp_auth where company_id = $1', [companyId]), [before])
            }
        })
    }

    test(`over ${over}, numbers that JavaScript rounds are read as its JSON.parse reads them, and those that it wrote come back`, async () => {
        const companyId = `${over} rounded`
        await plantCreds(companyId, usableCreds())
        await plantKey(companyId, 'session', 'foreign', '{"big": 9007199254740993, "small": 1e-400, "large": 1.7976931348623157e308}')
        const { state: { keys } } = await open(companyId)
        assert.deepEqual(await keys.get('session', ['foreign']), { foreign: { big: 9007199254740992, small: 0, large: Number.MAX_VALUE } })
        const own = { a: 1e23, b: Number.MAX_VALUE, c: -Number.MAX_VALUE, d: Number.MIN_VALUE, e: 2 ** 60, f: 1794646804.123, g: Number.MAX_SAFE_INTEGER }
        await keys.set({ session: { own } })
        assert.deepEqual(await keys.get('session', ['own']), { own })
    })

    // Baileys has NaN where an attribute of a stanza is missing. Refusing it would keep the creds from being saved ever again.
    test(`over ${over}, NaN and infinity are stored as the file store stores them, as null`, async () => {
        const companyId = `${over} not a number`
        const { state, saveCreds } = await open(companyId)
        state.creds.lastAccountSyncTimestamp = NaN
        state.creds.accountSettings = { defaultDisappearingMode: Infinity }
        await saveCreds()
        const stored = await storedCreds(companyId)
        assert.deepEqual([stored.lastAccountSyncTimestamp, stored.accountSettings], [null, { defaultDisappearingMode: null }])
        await state.keys.set({ session: { '1.0': { n: NaN, list: [-Infinity, 1] } } })
        assert.deepEqual(await state.keys.get('session', ['1.0']), { '1.0': { n: null, list: [null, 1] } })
    })

    test(`over ${over}, a value that is nested too deep, or holds itself, is refused before anything is sent`, async () => {
        const companyId = `${over} deep`
        const { state, saveCreds } = await open(companyId)
        let deep = []
        for (let n = 0; n < 20_000; n++) {
            deep = [deep]
        }
        const circle = {}
        circle.again = circle
        for (const value of [{ deep }, { circle }, { bytes: bytes(1), deep }, { nul: '\0', deep }]) {
            assert.equal(await calls.of(() => assert.rejects(state.keys.set({ session: { good: { n: 1 }, value } }), InvalidInput)), 0)
        }
        state.creds.deep = deep
        assert.equal(await calls.of(() => assert.rejects(saveCreds(), InvalidInput)), 0)
        delete state.creds.deep
        await saveCreds()
        assert.deepEqual(await state.keys.get('session', ['good']), { good: null })
    })
}
