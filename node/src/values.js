/**
 * Values as Baileys has them, and as they travel and are stored. Bytes are `{"type": "Buffer", "data": base64}`,
 * by the library's own BufferJSON, applied once. A string that jsonb refuses, because it holds NUL or half of a
 * surrogate pair, is `{"type": "Utf16", "data": base64 of its UTF-16LE}`: tests/vectors.
 */
import { InvalidInput } from './errors.js'

// JSON.stringify escapes exactly these. A backslash before them only costs a second pass.
const ESCAPED = /\\u(?:0000|d[89a-f])/i
// Without one of these, a reviver of Baileys changes nothing. The last: all keys of an object are numbers.
const REVIVED = /"(?:Buffer|buffer|Utf16)"|\{\s*"\s*[-+\d\\]/

/** @param {string} text */
const isStorable = text => text.isWellFormed() && !text.includes('\0')

/** A name that jsonb or text cannot hold has no other form; UTF-8 would turn it into another name. @param {string} what @param {any} name */
export function assertStorable(what, name) {
    if (!isStorable(String(name))) {
        throw new InvalidInput(`invalid ${what}`, { code: 'WA001', detail: `${what}: it cannot hold NUL or a lone surrogate` })
    }
}

// A value that only the library knows how to store.
const UNKNOWN = Symbol('unknown')

/**
 * Plain data with its bytes in stored form, itself where it has none: what the library's replacer gives, in half
 * the time, without the list of numbers that `toJSON` makes of a Buffer first.
 * @param {any} value an object or a list @returns {any}
 */
function withoutBytes(value) {
    if (value instanceof Uint8Array) {
        const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
        return { type: 'Buffer', data: bytes.toString('base64') }
    }
    const list = Array.isArray(value)
    if (!list && (Object.getPrototypeOf(value) !== Object.prototype || value.type === 'Buffer') || value.toJSON !== undefined) {
        return UNKNOWN
    }
    let stored = value
    for (const name of Object.keys(value)) {
        const item = value[name]
        if (typeof item !== 'object' || item === null) {
            continue
        }
        const plain = withoutBytes(item)
        if (plain === UNKNOWN || (plain !== item && name === '__proto__')) {
            return UNKNOWN
        }
        if (plain !== item) {
            stored = stored !== value ? stored : list ? [...value] : { ...value }
            stored[name] = plain
        }
    }
    return stored
}

/**
 * @typedef {{replacer: (key: string, value: any) => any, reviver: (key: string, value: any) => any}} BufferJSON
 * @typedef {ReturnType<typeof codec>} Codec
 */

/** @param {BufferJSON} bufferJSON the library's own */
export function codec({ replacer, reviver }) {
    /** A value in stored form already stays as it is: the library's replacer would take its base64 for text. @this {any} @param {string} key @param {any} value */
    function replaced(key, value) {
        return value?.type === 'Buffer' && typeof value.data === 'string' && Object.keys(value).length === 2
            ? value
            : replacer.call(this, key, value)
    }

    /** @this {any} @param {string} key @param {any} value */
    function carried(key, value) {
        if (!isStorable(key)) {
            throw new InvalidInput('invalid value', { code: 'WA001', detail: 'an object key cannot hold NUL or a lone surrogate' })
        }
        const plain = replaced.call(this, key, value)
        return typeof plain === 'string' && !isStorable(plain)
            ? { type: 'Utf16', data: Buffer.from(plain, 'utf16le').toString('base64') }
            : plain
    }

    /** @this {any} @param {string} key @param {any} value */
    function revived(key, value) {
        if (value?.type === 'Utf16' && typeof value.data === 'string' && Object.keys(value).length === 2) {
            return Buffer.from(value.data, 'base64').toString('utf16le')
        }
        return reviver.call(this, key, value)
    }

    /** As JSON.parse does with a reviver, several times as fast: only objects stand for something else. @param {any} holder @param {string} key @returns {any} */
    function walk(holder, key) {
        const value = holder[key]
        return typeof value === 'object' && value !== null ? revived.call(holder, key, members(value)) : value
    }

    /** @param {any} object */
    function members(object) {
        for (const name of Object.keys(object)) {
            const value = walk(object, name)
            if (value === object[name]) {
                continue
            }
            if (name === '__proto__') { // a name like any other, but slow to treat so
                Object.defineProperty(object, name, { value, configurable: true, enumerable: true, writable: true })
            } else {
                object[name] = value
            }
        }
        return object
    }

    /** @param {any} value */
    const revive = value => walk({ '': value }, '')

    return {
        /** The JSON text to send. @param {any} value */
        encode(value) {
            const plain = typeof value === 'object' && value !== null ? withoutBytes(value) : value
            const text = plain === UNKNOWN ? JSON.stringify(value, replaced) : JSON.stringify(plain)
            return text?.includes('\\u') && ESCAPED.test(text) ? JSON.stringify(value, carried) : text
        },

        /** A stored value, from its JSON text. @param {string} text */
        decode(text) {
            const value = JSON.parse(text)
            return REVIVED.test(text) ? revive(value) : value
        },

        /** `{id: value}` of JSON text: ids are any text, the object itself never stands for bytes. @param {string} text */
        decodeIds(text) {
            return this.reviveIds(JSON.parse(text), text)
        },

        /** The same of what was parsed already, from this text where there was one. @param {any} values @param {string} [text] */
        reviveIds(values, text) {
            return text === undefined || REVIVED.test(text.slice(1)) ? members(values) : values // an id may be a number
        },

        /** A stored value that was parsed already. */
        revive
    }
}
