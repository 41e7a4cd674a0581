/** tests/vectors through the codec of this package and through the database, with the library's own BufferJSON. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { InvalidInput, useDatabaseAuthState } from '../src/index.js'
import { codec } from '../src/values.js'
import { baileys, libsignal, pool, SUPERUSER } from './library.mjs'

// Both in one process: nothing here is a protobuf message.
const libraries = { 6: await baileys(6), 617: await baileys(617), 7: await baileys(7) }
const db = pool()
const superuser = pool({ connectionString: SUPERUSER })
const vectors = ['buffers', 'utf16'].flatMap(file =>
    JSON.parse(readFileSync(new URL(`../../tests/vectors/${file}.json`, import.meta.url), 'utf8')))

/** A vector file shows bytes as {"$bytes": base64}. */
function plainOf(shown, bytes = data => Buffer.from(data, 'base64')) {
    if (typeof shown !== 'object' || shown === null) {
        return shown
    }
    if (Object.keys(shown).join() === '$bytes') {
        return bytes(shown.$bytes)
    }
    const inner = Object.entries(shown).map(([name, value]) => [name, plainOf(value, bytes)])
    return Array.isArray(shown) ? inner.map(([, value]) => value) : Object.fromEntries(inner)
}

const written = ({ direction }) => direction === 'both' || direction === 'write'
const isRead = ({ direction }) => direction === 'both' || direction === 'read'
const refused = ({ direction }) => direction === 'refuse'

test('there are vectors of every direction', () => {
    assert.deepEqual([...new Set(vectors.map(({ direction }) => direction))].sort(), ['both', 'read', 'refuse', 'write'])
})

for (const [version, library] of Object.entries(libraries)) {
    const { encode, decode, revive, arePlain } = codec(library.BufferJSON)

    for (const vector of vectors.filter(written)) {
        test(`Baileys ${version} writes: ${vector.name}`, () => {
            assert.deepEqual(JSON.parse(encode(plainOf(vector.plain))), vector.stored)
            const array = plainOf(vector.plain, data => new Uint8Array(Buffer.from(data, 'base64')))
            assert.deepEqual(JSON.parse(encode(array)), vector.stored, 'a Uint8Array as a Buffer')
        })
    }

    for (const vector of vectors.filter(isRead)) {
        test(`Baileys ${version} reads: ${vector.name}`, () => {
            const plain = plainOf(vector.plain)
            for (const space of [undefined, 1]) {
                const text = JSON.stringify(vector.stored, null, space)
                assert.deepEqual(decode(text), plain)
                assert.deepEqual(revive(JSON.parse(text)), plain, 'parsed already')
                const ids = JSON.stringify({ 1: vector.stored, '2.0': null }, null, space)
                assert.ok(!arePlain(ids) || isDeepStrictEqual(plain, vector.stored), 'what is not plain is looked at')
            }
        })
    }

    test(`Baileys ${version} reads any name of numbers as its own reviver does`, () => {
        for (const name of ['5', ' 5', '\n5', '\t +5', '-5', '5x', 'x5', '\\5', '"5', '']) {
            const text = JSON.stringify({ in: { [name]: 1 } })
            assert.deepEqual(decode(text), JSON.parse(text, library.BufferJSON.reviver), name)
        }
    })

    for (const vector of vectors.filter(refused)) {
        test(`Baileys ${version} refuses: ${vector.name}`, () => {
            assert.throws(() => encode(plainOf(vector.plain)), InvalidInput)
        })
    }

    test(`what Baileys ${version} writes is in the database as the vectors say, and is read back`, async () => {
        const company = `vectors${version}`
        const options = { baileys: library, libsignal }
        const { state: { keys } } = await useDatabaseAuthState(db, company, options)
        const both = vectors.filter(written).filter(({ plain }) => plain) // the file store deletes what is falsy
        await keys.set({ vector: Object.fromEntries(both.map(({ name, plain }) => [name, plainOf(plain)])) })
        const { rows } = await superuser.query('select key_id, value from whatsapp_keys where company_id = $1', [company])
        assert.deepEqual(
            Object.fromEntries(rows.map(row => [row.key_id, row.value])),
            Object.fromEntries(both.map(({ name, stored }) => [name, stored]))
        )

        const read = vectors.filter(isRead)
        const raw = Object.fromEntries(read.map(({ name, stored }) => [name, stored]))
        await superuser.query('select auth_set_keys($1, $2)', [company, JSON.stringify({ stored: raw })])
        const expected = Object.fromEntries(read.map(({ name, plain }) => [name, plainOf(plain)]))
        for (const lease of [undefined, { holder: 'test' }]) {
            const reader = await useDatabaseAuthState(db, company, { ...options, lease })
            assert.deepEqual(await reader.state.keys.get('stored', Object.keys(expected)), expected)
            await reader.close()
        }
        await assert.rejects(
            keys.set({ refused: Object.fromEntries(vectors.filter(refused).map(({ name, plain }) => [name, plain])) }),
            InvalidInput
        )
        assert.deepEqual((await superuser.query(
            'select 1 from whatsapp_keys where company_id = $1 and key_type = $2', [company, 'refused']
        )).rows, [])
    })
}

// In UTF-8 half of a pair becomes U+FFFD: another key, or another company's account.
for (const name of ['a\0', 'a\ud83d']) {
    test(`what is named ${JSON.stringify(name)} is refused before anything is sent`, async () => {
        const nowhere = { query: () => assert.fail('sent') }
        const options = { baileys: libraries[7], libsignal }
        await assert.rejects(useDatabaseAuthState(nowhere, name, options), InvalidInput)
        const { state: { keys } } = await useDatabaseAuthState(db, 'names', options)
        await assert.rejects(keys.get('session', ['1.0', name]), InvalidInput)
        await assert.rejects(keys.get(name, ['1.0']), InvalidInput)
        await assert.rejects(keys.set({ session: { '1.0': { a: 1 }, [name]: { a: 1 } } }), InvalidInput)
        await assert.rejects(keys.set({ session: { '1.0': { a: 1 } }, [name]: {} }), InvalidInput)
        await assert.rejects(keys.listIds(name).next(), InvalidInput)
        assert.deepEqual(await keys.get('session', ['1.0']), { '1.0': null })
    })
}
