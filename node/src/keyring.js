/** The keys that values are encrypted with before they are sent; `jose` does the cryptography. The format: docs/encryption.md. */
import { InvalidInput } from './errors.js'
import { assertStorable } from './values.js'

const FORMAT = { alg: 'dir', enc: 'A256GCM', typ: 'pg-auth-state' }
const ONLY = { keyManagementAlgorithms: [FORMAT.alg], contentEncryptionAlgorithms: [FORMAT.enc] }

/** Why a value could not be decrypted. */
export class NotOpened extends Error {}

async function installedJose() {
    try {
        return await import('jose')
    } catch (error) {
        if (/** @type {any} */ (error).code !== 'ERR_MODULE_NOT_FOUND') {
            throw error
        }
        throw new InvalidInput('encryption wants jose, which is not installed', { code: 'WA001', hint: 'npm i jose' })
    }
}

/** @param {string} what @param {string} detail @param {string} [hint] @returns {never} */
function refuse(what, detail, hint) {
    throw new InvalidInput(`invalid ${what}`, { code: 'WA001', detail, hint })
}

/** @param {any} jwk of a JWK Set @returns {[string, Uint8Array]} */
function ofJwk(jwk) {
    if (jwk?.kty !== 'oct' || !/^[\w-]{43}=?$/.test(jwk.k)) {
        refuse('encryption.keys', 'This is no JWK Set of keys with 32 bytes each.', '[{"kty": "oct", "kid": "2026-11", "k": "…"}, …], k in base64url.')
    }
    return [jwk.kid, Buffer.from(jwk.k, 'base64url')]
}

export class Keyring {
    /** @type {typeof import('jose')} */
    #jose
    /** @type {Map<string, import('jose').CryptoKey>} */
    #keys

    /**
     * @param {typeof import('jose')} jose @param {Map<string, import('jose').CryptoKey>} keys @param {string} current
     * @param {{plainTypes?: readonly string[], allowPlaintext?: boolean}} options
     */
    constructor(jose, keys, current, { plainTypes = [], allowPlaintext }) {
        this.#jose = jose
        this.#keys = keys
        this.current = current
        this.plainTypes = new Set(plainTypes)
        this.allowPlaintext = allowPlaintext
    }

    /** @param {import('../index.d.ts').EncryptionOptions} options */
    static async of(options) {
        const { keys, plainTypes = [], allowPlaintext } = options
        const entries = Array.isArray(keys) ? keys.map(ofJwk) : Object.entries(keys ?? {})
        for (const [kid, key] of entries) {
            if (typeof kid !== 'string' || kid === '' || Buffer.byteLength(kid) > 256) {
                refuse('encryption.keys', 'The name of a key is a string of 1 to 256 bytes.')
            }
            // In a header that jsonb refuses the identity guard would not see that creds are paired.
            assertStorable('encryption.keys', kid)
            if (!(key instanceof Uint8Array) || key.byteLength !== 32) {
                refuse('encryption.keys', `${JSON.stringify(kid)} is not a key of 32 bytes.`, 'Make one with crypto.randomBytes(32).')
            }
        }
        const raw = new Map(entries)
        if (raw.size !== entries.length) {
            refuse('encryption.keys', 'Two keys have the same name.')
        }
        const current = options.current ?? (Array.isArray(keys) ? entries[0]?.[0] : undefined)
        if (current === undefined || !raw.has(current)) {
            refuse('encryption.current', `The current one, ${JSON.stringify(current)}, is none of the keys.`)
        }
        if (!Array.isArray(plainTypes)) {
            refuse('encryption.plainTypes', 'A list is expected.')
        }
        if (allowPlaintext !== undefined && typeof allowPlaintext !== 'boolean') {
            refuse('encryption.allowPlaintext', 'true or false is expected, or nothing.')
        }
        const jose = await installedJose()
        // Not extractable: nothing that prints or copies this object has the bytes.
        const imported = [...raw].map(async ([kid, key]) => /** @type {[string, import('jose').CryptoKey]} */ ([
            kid, await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt', 'decrypt'])
        ]))
        return new Keyring(jose, new Map(await Promise.all(imported)), current, { plainTypes, allowPlaintext })
    }

    /** The JWE of a text under the current key. @param {Record<string, unknown>} header where it belongs @param {string} text */
    encrypted(header, text) {
        return new this.#jose.CompactEncrypt(Buffer.from(text))
            .setProtectedHeader({ ...FORMAT, kid: this.current, ...header })
            .encrypt(/** @type {import('jose').CryptoKey} */ (this.#keys.get(this.current)))
    }

    /** The plain text of a JWE whose header this is. @param {string} sealed @param {Record<string, unknown> | null} header */
    async decrypted(sealed, header) {
        if (!header) {
            throw new NotOpened('It is damaged: its header is no JSON object.')
        }
        if (Object.hasOwn(header, 'crit') || Object.entries(FORMAT).some(([name, value]) => header[name] !== value)) {
            throw new NotOpened('It is of another format.')
        }
        const key = this.#keys.get(/** @type {string} */ (header.kid))
        if (!key) {
            throw new NotOpened('There is no such key.')
        }
        try {
            return (await this.#jose.compactDecrypt(sealed, key, ONLY)).plaintext
        } catch { // whatever the library makes of a damaged one
            throw new NotOpened('It was made with another key of this name, or was changed since.')
        }
    }
}
