/**
 * Makes tests/vectors: what every client must turn a value into before it is stored, and back.
 * Buffers are checked against the library's own BufferJSON, strings against what JavaScript calls well-formed.
 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const VECTORS = join(dirname(fileURLToPath(import.meta.url)), '../vectors')
const { BufferJSON: of6 } = await import('baileys6')
const { BufferJSON: of7 } = await import('baileys7')

const bytes = (...numbers) => Buffer.from(numbers)
const every = Buffer.from(Array.from({ length: 256 }, (_, number) => number))
const key = (start, length = 32) => Buffer.from(Array.from({ length }, (_, index) => (start + index * 7) % 256))

const stored = value => JSON.parse(JSON.stringify(value, of7.replacer))
const revived = (value, { reviver }) => JSON.parse(JSON.stringify(value), reviver)

/** Bytes have no form of their own in JSON: a vector file shows them as {"$bytes": base64}. */
function shown(value) {
    if (value instanceof Uint8Array) {
        return { $bytes: Buffer.from(value).toString('base64') }
    }
    if (Array.isArray(value)) {
        return value.map(shown)
    }
    if (typeof value === 'object' && value !== null) {
        return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shown(inner)]))
    }
    return value
}

const buffers = [
    ...Object.entries({
        'empty': Buffer.alloc(0),
        'three bytes': bytes(1, 2, 3),
        'one byte, base64 with two paddings': bytes(0),
        'two bytes, base64 with one padding': bytes(0, 1),
        'base64 with plus and slash': bytes(0xfb, 0xef, 0xbe, 0xff, 0xff, 0xff),
        'every byte once': every,
        'bytes that are text': Buffer.from('{"type":"Buffer","data":"AQID"}'),
        'bytes that are not UTF-8': bytes(0xff, 0xfe, 0xed, 0xa0, 0x80),
        'a pre-key': { private: key(1), public: key(2) },
        'an identity key, 33 bytes': Buffer.concat([bytes(5), key(3)]),
        'deep inside objects and arrays': { a: [{ b: [bytes(1), 'AQID', null, { c: bytes() }] }], d: true },
        'an app-state version': {
            version: 2,
            hash: key(4, 128),
            indexValueMap: { 'N3lXorwhnvr13DRSyzCJdEg79CsDaM1iOfQd/BvLQtk=': { valueMac: key(5) } }
        },
        'a tctoken that was cleared': { token: Buffer.alloc(0), senderTimestamp: 1794646804 },
        'nothing to do: text that is base64': 'AQID',
        'nothing to do: a type that is not Buffer': { type: 'Text', data: 'AQID' },
        'nothing to do: numbers under data': { data: [1, 2, 3] },
        'nothing to do: a list of numbers': [1, 2, 3],
        'nothing to do: bytes as the text of an app-state-sync-key': {
            keyData: 'oScnOg==',
            fingerprint: { rawId: 123, currentIndex: 0, deviceIndexes: [0, 1] },
            timestamp: '1794646804000'
        },
        'nothing to do: a sender-key-memory': { '5511900000002@s.whatsapp.net': true }
    }).map(([name, plain]) => {
        assert.deepEqual(revived(stored(plain), of6), plain, name)
        assert.deepEqual(revived(stored(plain), of7), plain, name)
        return { name, direction: 'both', plain: shown(plain), stored: stored(plain) }
    }),
    {
        name: 'a value in stored form already is not converted again',
        direction: 'write',
        plain: { type: 'Buffer', data: 'AQID' },
        stored: { type: 'Buffer', data: 'AQID' }
    },
    ...[
        ['a list of numbers', { type: 'Buffer', data: [1, 2, 3] }, bytes(1, 2, 3), [6]],
        ['an empty list of numbers', { type: 'Buffer', data: [] }, bytes(), [6]],
        ['buffer: true with base64', { buffer: true, data: 'AQID' }, bytes(1, 2, 3), [6]],
        ['buffer: true with numbers', { buffer: true, data: [1, 2, 3] }, bytes(1, 2, 3), [6]],
        ['buffer: true with nothing', { buffer: true, data: '' }, bytes(), [6]],
        ['value in place of data', { type: 'Buffer', value: 'AQID' }, bytes(1, 2, 3), [6]],
        ['older forms inside objects', { private: { buffer: true, data: 'AQID' } }, { private: bytes(1, 2, 3) }, [6]],
        ['numbers by index, a Uint8Array saved by a plain JSON.stringify', { 0: 5, 1: 255, 2: 0 }, bytes(5, 255, 0), [7]],
        ['one number by index', { 0: 5 }, bytes(5), [7]],
        ['buffer: true with value in place of data', { buffer: true, value: 'AQID' }, bytes(1, 2, 3), [6]],
        ['base64 of the other alphabet, without padding', { type: 'Buffer', data: '-_8' }, bytes(0xfb, 0xff), [6, 7]],
        [
            'every older form in one value, in objects and in lists',
            {
                noiseKey: { private: { type: 'Buffer', data: [1, 2, 3] }, public: { 0: 4, 1: 5 } },
                list: [{ buffer: true, data: 'Bg==' }, [{ 0: 7 }, { 0: true }], { type: 'Buffer', data: 'CA==' }]
            },
            { noiseKey: { private: bytes(1, 2, 3), public: bytes(4, 5) }, list: [bytes(6), [bytes(7), { 0: true }], bytes(8)] },
            []
        ],
        ['no bytes: a number beyond 255', { type: 'Buffer', data: [1, 256] }, { type: 'Buffer', data: [1, 256] }, [7]],
        ['no bytes: a Buffer without data', { type: 'Buffer' }, { type: 'Buffer' }, [7]],
        ['no bytes: buffer: true without data', { buffer: true }, { buffer: true }, [7]],
        ['no bytes: text by index', { 0: 'a', 1: 'b' }, { 0: 'a', 1: 'b' }, [6, 7]]
    ].map(([name, form, plain, readBy]) => {
        for (const [version, lib] of [[6, of6], [7, of7]]) {
            const read = JSON.stringify(shown(revived(form, lib))) === JSON.stringify(shown(plain))
            assert.equal(read, readBy.includes(version), `${name} by ${version}`)
        }
        return { name, direction: 'read', read_by: readBy.map(String), plain: shown(plain), stored: form }
    })
]

const carried = text => ({ type: 'Utf16', data: Buffer.from(text, 'utf16le').toString('base64') })
const refused = text => text.includes('\0') || !text.isWellFormed()

function carry(value) {
    if (typeof value === 'string') {
        return refused(value) ? carried(value) : value
    }
    if (value instanceof Uint8Array) {
        return stored(value)
    }
    if (Array.isArray(value)) {
        return value.map(carry)
    }
    if (typeof value === 'object' && value !== null) {
        return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, carry(inner)]))
    }
    return value
}

const strings = {
    'carried: a lone NUL': '\0',
    'carried: NUL inside text': 'Ana\0Maria',
    'carried: NUL after an emoji': '\u{1f600}\0',
    'carried: NUL after accents': 'Jos\u00e9\0',
    'carried: a lone high surrogate': '\ud83d',
    'carried: a lone low surrogate': '\ude00',
    'carried: the first and the last surrogate': '\udfff\ud800',
    'carried: a pair in the wrong order': '\ude00\ud83d',
    'carried: a name cut in the middle of an emoji': 'Padaria \u{1f35e}\ud83c',
    'carried: a lone surrogate before a whole pair': '\ud83d\u{1f600}',
    'carried: NUL and both surrogates between text': 'a\0b\ud83dc\ude00d',
    'carried: bare value of a LID mapping': '1000\u00000',
    'plain: empty': '',
    'plain: emoji of one pair': '\u{1f600}',
    'plain: emoji joined of several': '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}',
    'plain: the highest code point': '\u{10ffff}',
    'plain: accents, Arabic, Chinese': 'S\u00e3o Jo\u00e3o \u0645\u0631\u062d\u0628\u0627 \u4f60\u597d',
    'plain: the other control characters': '\u0001\u001f\t\n\r\u007f',
    'plain: noncharacters and byte order mark': '\ufffe\uffff\ufeff',
    'plain: line separators': '\u2028\u2029',
    'plain: the replacement character': '\ufffd',
    'plain: a backslash and u0000, six characters': '\\u0000',
    'plain: a backslash and ud83d, six characters': '\\ud83d'
}
const nested = {
    'only the strings that need it, in an object': { id: '5511900000001:23@s.whatsapp.net', name: 'Ana\0', verified: null },
    'in an array': ['ok', '\ud83d', '\u{1f600}', 1, true, null],
    'deep inside, beside bytes': {
        me: { id: '5511900000001:23@s.whatsapp.net', name: '\u{1f600}\ud83d' },
        noiseKey: { private: key(1), public: key(2) },
        processedHistoryMessages: [{ key: { id: '3EB0', participant: 'x\0' }, messageTimestamp: 1794646804 }]
    },
    'an object that only resembles one': { type: 'Utf16', data: 'AAA=', more: true }
}

const utf16 = [
    ...Object.entries({ ...strings, ...nested }).map(([name, plain]) => {
        if (typeof plain === 'string') {
            assert.equal(refused(plain), name.startsWith('carried'), name)
            const { data } = carried(plain)
            assert.equal(Buffer.from(data, 'base64').toString('utf16le'), plain, name)
        }
        return { name, direction: 'both', plain: shown(plain), stored: carry(plain) }
    }),
    ...Object.entries({
        'NUL in the name of a member': { 'a\0': 1 },
        'a lone surrogate in the name of a member': { deep: [{ '\ud83d': 1 }] }
    }).map(([name, plain]) => ({ name, direction: 'refuse', plain }))
]

/** One vector per line, in ASCII: no editor or decoder can change what is meant. */
async function write(file, vectors) {
    assert.equal(new Set(vectors.map(({ name }) => name)).size, vectors.length)
    const ascii = value =>
        JSON.stringify(value).replace(/[\u007f-\uffff]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    const text = `[\n${vectors.map(ascii).join(',\n')}\n]\n`
    assert.deepEqual(JSON.parse(text), vectors)
    await writeFile(join(VECTORS, file), text)
    console.log(file, vectors.length)
}

await write('buffers.json', buffers)
await write('utf16.json', utf16)
process.exit()
