/**
 * Values as Baileys has them, and as they travel and are stored. Bytes are `{"type": "Buffer", "data": base64}`,
 * by the library's own BufferJSON, applied once; the forms that any version wrote before are read, whatever version
 * reads. A string that jsonb refuses, because it holds NUL or half of a surrogate pair, is
 * `{"type": "Utf16", "data": base64 of its UTF-16LE}`: tests/vectors.
 */
import { InvalidInput } from './errors.js'

// JSON.stringify escapes exactly these. A backslash before them only costs a second pass.
const ESCAPED = /\\u(?:0000|d[89a-f])/i
// Without one of these, nothing in a value stands for something else. The last: all keys of an object are numbers.
const REVIVED = /"(?:Buffer|buffer|Utf16)"|\{\s*"\s*[-+\d\\]/

// A number that JavaScript cannot hold has 309 digits before its point. jsonb writes them all.
const STRIDE = 30
const SAMPLES = 6

/** Whether a number of 180 digits may be in this text: in any so long one, six digits stand 30 apart. @param {string} text */
function mayHoldLongNumber(text) {
    for (let at = 0, digits = 0; at < text.length; at += STRIDE) {
        const code = text.charCodeAt(at)
        digits = code >= 48 && code <= 57 ? digits + 1 : 0
        if (digits === SAMPLES) {
            return true
        }
    }
    return false
}

/** Whether a number of fewer digits may be too large all the same, as only a text that was never jsonb can have it. @param {string} text */
export const mayHaveExponent = text => /\d[eE]\+?\d{3}/.test(text)

/** Why a stored value cannot be read. */
export class NotRead extends Error {}

/** Whether JSON.parse found only numbers that JavaScript can hold. What is nested too deep to be looked at is not whole. @param {any} value */
export function isWhole(value) {
    try {
        assertWhole(value)
        return true
    } catch {
        return false
    }
}

/** @param {any} value */
function assertWhole(value) {
    if (typeof value === 'object') {
        for (const name in value) {
            assertWhole(value[name])
        }
    } else if (value === Infinity || value === -Infinity) {
        throw new NotRead('A number in it is larger than JavaScript can hold.')
    }
}

/** @param {string} text */
const isStorable = text => text.isWellFormed() && !text.includes('\0')

/** A name that jsonb or text cannot hold has no other form; UTF-8 would turn it into another name. @param {string} what @param {any} name */
export function assertStorable(what, name) {
    if (!isStorable(String(name))) {
        throw new InvalidInput(`invalid ${what}`, { code: 'WA001', detail: `${what}: it cannot hold NUL or a lone surrogate` })
    }
}

// The forms of bytes that versions of Baileys, or a plain JSON.stringify, wrote: the same rules as in Python's _wire.py.

/** The bytes of a Buffer's `data`: base64, or a list of numbers; undefined if it is neither. @param {any} data */
function bytesIn(data) {
    if (typeof data === 'string') {
        return Buffer.from(data, 'base64')
    }
    const areBytes = Array.isArray(data) && data.every(item => Number.isInteger(item) && item >= 0 && item < 256)
    return areBytes ? Buffer.from(data) : undefined
}

/** Of a Uint8Array that went through a plain JSON.stringify: `{"0": 5, "1": 255}`. @param {any} value */
function bytesByIndex(value) {
    return Object.hasOwn(value, '0') && Object.keys(value).every((name, index) => name === `${index}`)
        ? bytesIn(Object.values(value))
        : undefined
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
        if (Array.isArray(value)) {
            return value
        }
        if (value.type === 'Utf16' && typeof value.data === 'string' && Object.keys(value).length === 2) {
            return Buffer.from(value.data, 'base64').toString('utf16le')
        }
        if (value.type === 'Buffer' || value.buffer === true) {
            return bytesIn(Object.hasOwn(value, 'data') ? value.data : value.value) ?? value
        }
        return bytesByIndex(value) ?? reviver.call(this, key, value)
    }

    /** As JSON.parse does with a reviver, several times as fast: only objects stand for something else. @param {any} holder @param {string} key @returns {any} */
    function walk(holder, key) {
        const value = holder[key]
        if (typeof value === 'object' && value !== null) {
            return revived.call(holder, key, members(value))
        }
        assertWhole(value)
        return value
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

    /** A stored value that was parsed already. Throws NotRead. @param {any} value */
    function revive(value) {
        try {
            return walk({ '': value }, '')
        } catch (error) {
            throw error instanceof RangeError ? new NotRead('It is nested too deep.') : error
        }
    }

    /** Whether what JSON.parse makes of this text, which jsonb or `encode` wrote, is the value. @param {string} text */
    const isPlain = text => !REVIVED.test(text) && !mayHoldLongNumber(text)

    return {
        /** The JSON text to send. NaN and infinity become null, as in the file store. @param {any} value */
        encode(value) {
            try {
                const plain = typeof value === 'object' && value !== null ? withoutBytes(value) : value
                const text = plain === UNKNOWN ? JSON.stringify(value, replaced) : JSON.stringify(plain)
                return text?.includes('\\u') && ESCAPED.test(text) ? JSON.stringify(value, carried) : text
            } catch (error) {
                throw error instanceof RangeError
                    ? new InvalidInput('invalid value', { code: 'WA001', detail: 'it is nested too deep, or too large' })
                    : error
            }
        },

        /** A stored value, from its JSON text as jsonb or `encode` wrote it. Throws NotRead. @param {string} text */
        decode(text) {
            const value = JSON.parse(text)
            return isPlain(text) ? value : revive(value)
        },

        /** The same from the JSON text of any program, which an encrypted value keeps. @param {string} text */
        decodeForeign(text) {
            const value = JSON.parse(text)
            return isPlain(text) && !mayHaveExponent(text) ? value : revive(value)
        },

        /** Whether the values of `{id: value}`, of which jsonb wrote this text, are what JSON.parse gives. @param {string} text */
        arePlain: text => isPlain(text.slice(1)), // an id may be a number
        revive
    }
}
