/** Values that are encrypted before they are sent: the format by its vectors, then over both transports. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import * as published from '../src/index.js'
import { Keyring } from '../src/keyring.js'
import { Sealing } from '../src/sealing.js'
import { codec as codecOf } from '../src/values.js'
import { testsOverAnyTransport } from './any_transport.mjs'
import { counted, sql } from './faults.mjs'
import { encryption, opened, vectors } from './jwe.mjs'
import { baileys, libsignal, pool } from './library.mjs'
import { postgrest } from './postgrest_stand_in.mjs'

const { DecryptionError, InvalidInput, PlaintextRefused, useAuthState, useDatabaseAuthState, useSupabaseAuthState } = published
const library = await baileys(7)
const options = { baileys: library, libsignal }
const codec = codecOf(library.BufferJSON)

/** A vector file shows bytes as {"$bytes": base64}. */
function shown(plain) {
    if (typeof plain !== 'object' || plain === null) {
        return plain
    }
    if ('$bytes' in plain) {
        return Buffer.from(plain.$bytes, 'base64')
    }
    const inner = Object.entries(plain).map(([name, value]) => [name, shown(value)])
    return Array.isArray(plain) ? inner.map(([, value]) => value) : Object.fromEntries(inner)
}

const sealingOf = async (company, more) => new Sealing(await Keyring.of({ ...encryption, ...more }), company, codec)
const FORMAT = { alg: 'dir', enc: 'A256GCM', typ: 'pg-auth-state' }

for (const { name, company, type, id, kid, plain, text, stored } of vectors.values) {
    test(`the vector is read and written: ${name}`, async () => {
        const reading = await sealingOf(company)
        assert.deepEqual(await reading.opening().ids(type, { [id]: stored }), { [id]: shown(plain) })

        const writing = await sealingOf(company, { current: kid })
        const sealed = JSON.parse((await writing.batch({ [type]: { [id]: codec.encode(shown(plain)) } }))[type][id])
        assert.deepEqual(opened(sealed), { header: { ...FORMAT, kid, company, type, id }, text })
        assert.notEqual(sealed, stored, 'under a nonce of its own')
    })
}

for (const { name, company, kid, plain, text, stored, paired, identity, complete } of vectors.creds) {
    test(`the vector is read and written: ${name}`, async () => {
        const reading = await sealingOf(company)
        assert.deepEqual(await reading.openedCreds(stored), shown(plain))
        assert.equal(reading.complete, complete)

        const writing = await sealingOf(company, { current: kid })
        const own = codec.encode(shown(plain))
        const sealed = JSON.parse(await writing.creds(own, writing.about(own), complete))
        const header = { ...FORMAT, kid, company, type: 'creds', paired }
        assert.deepEqual(opened(sealed), {
            header: { ...header, ...(identity && { identity }), ...(complete && { complete }) }, text
        })
    })
}

for (const vector of vectors.refused) {
    test(`the vector is refused: ${vector.name}`, async () => {
        const sealing = await sealingOf(vector.company, { allowPlaintext: vector.allow_plaintext })
        sealing.complete = vector.complete ?? false
        const reading = 'id' in vector
            ? sealing.opening().ids(vector.type, { [vector.id]: vector.stored })
            : sealing.openedCreds(vector.stored)
        await assert.rejects(reading, error => {
            assert.equal(error.name, vector.error)
            assert.ok(error instanceof published[vector.error] && error instanceof DecryptionError)
            const { companyId, keyType, keyId, kid, code } = error
            assert.deepEqual(
                { companyId, keyType, keyId, kid, code },
                { companyId: vector.company, keyType: vector.type, keyId: vector.id ?? null, kid: vector.kid, code: '' })
            assert.ok(error.hint)
            for (const said of [vector.company, vector.type, vector.id, vector.kid]) {
                assert.ok(error.message.includes(said ?? ''))
            }
            assert.doesNotMatch(`${error.message} ${error.detail} ${error.cause}`, /v1/)
            return true
        })
    })
}

const key = Buffer.alloc(32, 65)
const NO_KEYRINGS = {
    'no keys': { keys: {}, current: 'a' },
    'a short key': { keys: { a: Buffer.from('short') }, current: 'a' },
    'a key that is text': { keys: { a: 'A'.repeat(32) }, current: 'a' },
    'a current one that is none of them': { keys: { a: key }, current: 'b' },
    'no current one': { keys: { a: key } },
    'a key without a name': { keys: { '': key }, current: '' },
    'a name with NUL': { keys: { 'a\0b': key }, current: 'a\0b' },
    'a name with half of a surrogate pair': { keys: { 'a\ud83d': key }, current: 'a\ud83d' },
    'a name of 257 bytes': { keys: [{ ...vectors.keys[0], kid: `${'é'.repeat(128)}a` }] },
    'types that are no list': { keys: { a: key }, current: 'a', plainTypes: 'lid-mapping' },
    'a permission that is a word': { keys: { a: key }, current: 'a', allowPlaintext: 'no' },
    'a short JWK': { keys: [{ kty: 'oct', kid: 'a', k: 'AAAA' }] },
    'a JWK without a name': { keys: [{ kty: 'oct', k: key.toString('base64url') }] },
    'no JWK': { keys: [] },
    'a name twice': { keys: [vectors.keys[0], vectors.keys[0]] }
}
for (const [what, given] of Object.entries(NO_KEYRINGS)) {
    test(`refused before anything is sent: ${what}`, async () => {
        const nowhere = { query: () => assert.fail('sent') }
        await assert.rejects(useDatabaseAuthState(nowhere, 'c', { ...options, encryption: given }), error => {
            assert.ok(error instanceof InvalidInput)
            assert.doesNotMatch(`${error.message} ${error.detail} ${error.hint}`, /AAAA/)
            return true
        })
    })
}

test('without jose what is missing is named', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'without-jose-'))
    test.after(() => rm(folder, { recursive: true }))
    await cp(new URL('../src', import.meta.url), folder, { recursive: true })
    const { useDatabaseAuthState: use } = await import(join(folder, 'index.js'))
    await assert.rejects(use({}, 'c', { ...options, encryption }), { name: 'InvalidInput', hint: 'npm i jose' })
})

test('the memory of what was written is bounded', async () => {
    const sealing = new Sealing(await Keyring.of(encryption), 'c', codec, 5_000)
    const sealed = async id => (await sealing.batch({ session: { [id]: '"x"' } })).session[id]
    const first = await sealed('0')
    assert.equal(await sealed('0'), first)
    for (let n = 1; n < 50; n++) {
        await sealed(`${n}`)
    }
    assert.equal(await sealed('49'), await sealed('49'))
    assert.notEqual(await sealed('0'), first)
})

const db = counted(pool())
const api = await postgrest()
const TRANSPORTS = {
    pg: (company, more) => useDatabaseAuthState(db, company, { ...options, encryption, ...more }),
    supabase: (company, more) =>
        useSupabaseAuthState(api.client({ role: api.roles.service }), company, { ...options, encryption, ...more })
}
const LEASE = { holder: 'test' }
const wrong = { keys: { '2026-11': randomBytes(32) }, current: '2026-11' }
const unknown = { keys: { '2027-01': randomBytes(32) }, current: '2027-01' }
const read = (auth, type, id) => auth.state.keys.get(type, [id]).then(found => found[id])
const storedValue = async (company, type, id) =>
    (await sql('select value from whatsapp_keys where company_id = $1 and key_type = $2 and key_id = $3', [company, type, id]))[0].value
const storedCreds = async company => (await sql('select creds from whatsapp_auth where company_id = $1', [company]))[0].creds
const plant = (company, id, value) => sql(
    `update whatsapp_keys set value = $3 where company_id = $1 and key_type = 'session' and key_id = $2`, [company, id, JSON.stringify(value)])
const pair = async ({ state, saveCreds }) => {
    state.creds.me = { id: '5511900000301:7@s.whatsapp.net', name: 'Ana' }
    await saveCreds()
}

for (const [over, open] of Object.entries(TRANSPORTS)) {
    const named = company => `${over} ${company}`
    testsOverAnyTransport(company => open(named(company)), library)

    test(`over ${over}, everything is stored encrypted, and read from the database and from memory`, async () => {
        const company = named('stored')
        const data = {
            session: { '1.0': { _sessions: { a: Buffer.from('secret') }, version: 'v1' }, '2.0': { version: 'v1' } },
            'sender-key': { s: Buffer.from('secret') }, 'lid-mapping': { 5511900000302: '100000000000310' }
        }
        const first = await open(company, { encryption: { ...encryption, plainTypes: ['lid-mapping'] } })
        await pair(first)
        const given = structuredClone(data.session)
        const set = first.state.keys.set({ ...data, session: given })
        given['1.0'].version = 'after the call'
        await set
        await first.close()
        assert.equal(opened(await storedCreds(company)).header.complete, true)
        assert.equal(JSON.parse(opened(await storedCreds(company)).text).me.name, 'Ana')
        assert.equal(JSON.parse(opened(await storedValue(company, 'session', '1.0')).text).version, 'v1')
        assert.equal(await storedValue(company, 'lid-mapping', '5511900000302'), '100000000000310')

        for (const lease of [undefined, LEASE]) {
            const auth = await open(company, { lease, encryption: { ...encryption, plainTypes: ['lid-mapping'] } })
            assert.equal(auth.state.creds.me.name, 'Ana')
            for (const type of Object.keys(data)) {
                assert.deepEqual({ ...await auth.state.keys.get(type, Object.keys(data[type])) }, data[type])
            }
            await auth.state.keys.set({ session: { '2.0': { version: 'v2' } }, 'sender-key': { s: null } })
            assert.deepEqual(await read(auth, 'session', '2.0'), { version: 'v2' })
            assert.equal(await read(auth, 'sender-key', 's'), null)
            await auth.state.keys.set({ session: { '2.0': { version: 'v1' } }, 'sender-key': { s: Buffer.from('secret') } })
            await auth.close()
        }
        await assert.rejects(read(await open(company), 'lid-mapping', '5511900000302'), PlaintextRefused)
    })

    test(`over ${over}, without the keys what is encrypted is an error, and never missing`, async () => {
        const company = named('keyless')
        await open(company).then(pair)
        for (const encryption of [undefined, wrong, unknown]) {
            for (const lease of [undefined, LEASE]) {
                await assert.rejects(open(company, { encryption, lease }), error => {
                    assert.ok(error instanceof DecryptionError)
                    assert.deepEqual([error.companyId, error.keyType, error.keyId, error.kid], [company, 'creds', null, '2026-11'])
                    return true
                })
            }
        }
        // Keys alone are encrypted, during a change-over.
        const other = named('keyless keys')
        const without = await open(other, { encryption: undefined })
        const rotated = { keys: { '2025-02': Buffer.alloc(32, 1) }, current: '2025-02' }
        await (await open(other, { encryption: rotated })).state.keys.set({ session: { '1.0': { n: 1 } } })
        for (const auth of [
            without, await open(other), await open(other, { encryption: undefined, lease: LEASE }), await open(other, { lease: LEASE })
        ]) {
            await assert.rejects(read(auth, 'session', '1.0'), { name: 'DecryptionError', keyType: 'session', keyId: '1.0', kid: '2025-02' })
            await assert.rejects(async () => {
                for await (const [id] of auth.state.keys.list('session')) {
                    assert.fail(id)
                }
            }, DecryptionError)
            assert.equal(await read(auth, 'session', 'none'), null)
            await auth.close()
        }
    })

    test(`over ${over}, what was changed, moved or planted in the database is refused, and the rest is read`, async () => {
        const company = named('attacked')
        const auth = await open(company)
        await pair(auth)
        await auth.state.keys.set({ session: Object.fromEntries(['1.0', '2.0', '3.0', '4.0'].map(id => [id, { id }])) })
        const moved = await storedValue(company, 'session', '1.0')
        await plant(company, '2.0', moved)
        await plant(company, '3.0', { id: '3.0' })
        await plant(company, '4.0', moved.slice(0, -6) + 'AAAAAA')
        for (const reader of [auth, await open(company), await open(company, { lease: LEASE })]) {
            assert.deepEqual(await read(reader, 'session', '1.0'), { id: '1.0' })
            await assert.rejects(read(reader, 'session', '2.0'), { name: 'DecryptionError', keyId: '2.0', kid: '2026-11' })
            await assert.rejects(read(reader, 'session', '3.0'), { name: 'PlaintextRefused', keyId: '3.0', kid: null })
            await assert.rejects(read(reader, 'session', '4.0'), { name: 'DecryptionError', keyId: '4.0' })
            await assert.rejects(reader.state.keys.get('session', ['1.0', '3.0']), PlaintextRefused)
            await reader.close()
        }
        const allowing = await open(company, { encryption: { ...encryption, allowPlaintext: true } })
        assert.deepEqual(await read(allowing, 'session', '3.0'), { id: '3.0' })
    })

    test(`over ${over}, plain values are read until everything is encrypted`, async () => {
        const company = named('change-over')
        const without = await open(company, { encryption: undefined })
        await pair(without)
        await without.state.keys.set({ session: { '1.0': { n: 1 }, '2.0': { n: 2 } } })
        await assert.rejects(open(company, { encryption: { ...encryption, allowPlaintext: false } }), PlaintextRefused)

        const auth = await open(company)
        assert.deepEqual(await read(auth, 'session', '1.0'), { n: 1 })
        const warm = await open(company, { lease: LEASE })
        assert.deepEqual(await read(warm, 'session', '1.0'), { n: 1 })
        await warm.close()
        await auth.saveCreds()
        assert.equal(opened(await storedCreds(company)).header.complete, undefined)
        await auth.state.keys.set({ session: { '1.0': { n: 1 } } })

        // Somebody else completes it.
        const text = codec.encode(auth.state.creds)
        const sealing = await sealingOf(company)
        const complete = await sealing.creds(text, sealing.about(text), true)
        await sql('select auth_save_creds($1, $2)', [company, complete])
        assert.deepEqual(await read(auth, 'session', '1.0'), { n: 1 })
        auth.state.creds.accountSyncCounter = 1
        await auth.saveCreds()
        assert.equal(opened(await storedCreds(company)).header.complete, true, 'who saw it incomplete does not undo that')
        for (const reader of [auth, await open(company), await open(company, { lease: LEASE })]) {
            await assert.rejects(read(reader, 'session', '2.0'), PlaintextRefused)
            await reader.close()
        }
    })

    test(`over ${over}, what is unchanged is sent as it was, whoever wrote it`, async () => {
        const company = named('unchanged')
        const data = () => ({ session: { '1.0': { n: Buffer.from([1]) } } })
        const auth = await open(company)
        await auth.state.keys.set(data())
        await auth.saveCreds()
        const value = await storedValue(company, 'session', '1.0')
        const creds = await storedCreds(company)
        const other = await open(company)
        await read(other, 'session', '1.0')
        const warm = await open(company, { lease: LEASE })
        await warm.state.keys.set(data())
        await warm.saveCreds()
        await warm.close()
        for (const each of [auth, other]) {
            await each.state.keys.set(data())
            await each.saveCreds()
        }
        assert.equal(await storedValue(company, 'session', '1.0'), value)
        assert.equal(await storedCreds(company), creds)
        const rotated = await open(company, { encryption: { ...encryption, current: '2025-02' } })
        await read(rotated, 'session', '1.0')
        await rotated.state.keys.set(data())
        assert.equal(opened(await storedValue(company, 'session', '1.0')).header.kid, '2025-02')
    })
}

test('a large write is not overtaken by a small one that is encrypted sooner', async () => {
    const { state, saveCreds, close } = await TRANSPORTS.pg('overtaken')
    const large = 'x'.repeat(3_000_000)
    db.calls.length = 0
    state.keys.set({ session: { '1.0': { large } }, 'sender-key': { first: Buffer.from('1') } })
    state.keys.set({ session: { '1.0': { n: 2 } } })
    state.creds.accountSyncCounter = 1
    saveCreds()
    state.creds.accountSyncCounter = 2
    assert.deepEqual(await state.keys.get('session', ['1.0']), { '1.0': { n: 2 } })
    await close()
    assert.deepEqual(db.calls.map(({ fn }) => fn).filter(fn => /set|save/.test(fn)), ['auth_set_keys', 'auth_set_keys', 'auth_save_creds'])
    assert.equal(JSON.parse(opened(await storedCreds('overtaken')).text).accountSyncCounter, 1)
})

test('from memory under a lease a read asks nothing and needs no key', async () => {
    const before = await TRANSPORTS.pg('warm')
    await before.state.keys.set({ session: Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`${n}.0`, { n }])) })
    const { state } = await TRANSPORTS.pg('warm', { lease: LEASE })
    assert.equal(await db.of(async () => assert.deepEqual(await state.keys.get('session', ['7.0', 'none']), { '7.0': { n: 7 }, none: null })), 0)
})

test('by the flag an account is encrypted in the database, too', async () => {
    const environment = { USE_DATABASE_AUTH_STATE: 'true' }
    await useAuthState({ folder: join(tmpdir(), 'none'), pool: db, companyId: 'flag', environment, encryption, ...options })
    assert.equal(opened(await storedCreds('flag')).header.complete, true)
})

test('paired creds without an identity are refused', async () => {
    const { state, saveCreds } = await TRANSPORTS.pg('unguarded')
    Object.assign(state.creds, { account: {}, noiseKey: null })
    await assert.rejects(saveCreds(), InvalidInput)
})
