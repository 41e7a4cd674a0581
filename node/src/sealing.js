/**
 * The values of one account, encrypted on their way out and decrypted on their way in, as docs/encryption.md says.
 * An account without a keyring has one of these as well: it refuses what it finds encrypted.
 */
import { createHash } from 'node:crypto'
import { DecryptionError, InvalidInput, PlaintextRefused, UnreadableValue } from './errors.js'
import { NotOpened } from './keyring.js'
import { NotRead, isWhole, mayHaveExponent } from './values.js'

/** How many characters of encrypted values are remembered for an account. */
const MEMORY = 4_000_000

const SEALED = /^eyJ[\w-]*\.\./

/** In place of creds a JWE of any kind is one that cannot be decrypted. */
const JWE = /^eyJ[\w-]*(?:\.[\w-]*){4}$/

/** Whether this is an encrypted value, or stands for one and is damaged. @param {any} stored @returns {stored is string} */
const isSealed = stored => typeof stored === 'string' && SEALED.test(stored)

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The protected header, which nobody has verified; null if it is no JSON object. @param {string} sealed @returns {Record<string, unknown> | null} */
function headerOf(sealed) {
    try {
        const found = JSON.parse(utf8.decode(Buffer.from(sealed.slice(0, sealed.indexOf('.')), 'base64url')))
        return typeof found === 'object' && !Array.isArray(found) ? found : null
    } catch {
        return null
    }
}

const MEMBERS = ['company', 'type', 'id', 'kid', 'paired', 'identity', 'complete']

/** Of a text and of what its header says. It stays in the memory of this process. @param {Record<string, unknown>} header @param {string} text */
const digestOf = (header, text) => createHash('sha256')
    .update(JSON.stringify(MEMBERS.map(name => header[name] ?? null))).update('\0').update(text).digest('base64')

/** @param {string} type @param {string | null} id null of creds */
const place = (type, id) => id === null ? '' : `${type}\0${id}`

/** @param {string} type @param {string | null} id */
const named = (type, id) => id === null ? 'the creds' : `${type} ${JSON.stringify(id)}`

/** Linked to a telephone, as the database judges it. @param {any} creds as stored in plain */
const isPaired = creds => (creds.account ?? null) !== null || (typeof creds.me?.id === 'string' && /:[0-9]+@/.test(creds.me.id))

/** A fingerprint of the public keys that WhatsApp knows the account by, if they are bytes. @param {any} creds as stored in plain */
function identityOf(creds) {
    const parts = [creds.noiseKey?.public?.data, creds.signedIdentityKey?.public?.data]
    return parts.every(part => typeof part === 'string')
        ? createHash('sha256').update(parts.join('.')).digest('hex').slice(0, 32)
        : undefined
}

export class Sealing {
    /** By place, the last used last. @type {Map<string, {digest: string, sealed: string}>} */
    #remembered = new Map()
    #size = 0

    /** @param {import('./keyring.js').Keyring | null} keyring @param {string} companyId @param {import('./values.js').Codec} codec */
    constructor(keyring, companyId, codec, memory = MEMORY) {
        this.keyring = keyring
        this.companyId = companyId
        this.codec = codec
        this.memory = memory
        /** Whether everything is encrypted, as far as is known; once true it stays so. */
        this.complete = false
    }

    forget() {
        this.#remembered.clear()
        this.#size = 0
    }

    // Out

    /** JSON texts of keys as they are sent, with a keyring. @param {Record<string, Record<string, string>>} texts */
    async batch(texts) {
        return Object.fromEntries(await Promise.all(Object.entries(texts).map(async ([type, values]) => [
            type,
            this.keyring?.plainTypes.has(type) ? values : Object.fromEntries(await Promise.all(
                Object.entries(values).map(async ([id, text]) => [
                    id, text === 'null' ? text : JSON.stringify(await this.#sealed(type, id, { type, id }, text))
                ])
            ))
        ])))
    }

    /** What the header of creds tells about them; InvalidInput if they are paired and have no identity. @param {string} text */
    about(text) {
        if (!this.keyring) {
            return {}
        }
        const creds = JSON.parse(text)
        const paired = isPaired(creds)
        const identity = identityOf(creds)
        if (paired && identity === undefined) {
            throw new InvalidInput('invalid creds', {
                code: 'WA001',
                detail: 'creds: of paired ones noiseKey.public and signedIdentityKey.public are bytes.',
                companyId: this.companyId
            })
        }
        return { type: 'creds', paired, ...(identity && { identity }) }
    }

    /** The JSON text of creds as it is sent. @param {string} text @param {Record<string, unknown>} about @param {boolean} complete */
    async creds(text, about, complete) {
        return this.keyring
            ? JSON.stringify(await this.#sealed('creds', null, { ...about, ...(complete && { complete }) }, text))
            : text
    }

    /** @param {string} type @param {string | null} id @param {Record<string, unknown>} members @param {string} text */
    async #sealed(type, id, members, text) {
        const keyring = /** @type {import('./keyring.js').Keyring} */ (this.keyring)
        const header = { company: this.companyId, ...members }
        const digest = digestOf({ ...header, kid: keyring.current }, text)
        const known = this.#remembered.get(place(type, id))
        // The same text again is sent as the same JWE: then the database sees whether it is there.
        const sealed = known?.digest === digest ? known.sealed : await keyring.encrypted(header, text)
        this.#remember(place(type, id), digest, sealed)
        return sealed
    }

    /** @param {string} where @param {string} digest @param {string} sealed */
    #remember(where, digest, sealed) {
        this.#drop(where)
        this.#remembered.set(where, { digest, sealed })
        this.#size += sealed.length
        while (this.#size > this.memory) {
            this.#drop(/** @type {string} */ (this.#remembered.keys().next().value))
        }
    }

    /** @param {string} where */
    #drop(where) {
        this.#size -= this.#remembered.get(where)?.sealed.length ?? 0
        this.#remembered.delete(where)
    }

    // In

    /** For the values of one answer. */
    opening() {
        return new Opening(this)
    }

    /** Creds as the library has them, null if there are none; tells whether all is encrypted. @param {any} stored */
    async openedCreds(stored) {
        if (stored === null) {
            return null
        }
        if (!isSealed(stored) && !JWE.test(stored)) {
            if (this.keyring && !this.takesPlain()) {
                throw this.refused('creds', null)
            }
            return this.read('creds', null, () => this.codec.revive(stored))
        }
        const text = await this.opened('creds', null, stored)
        this.complete ||= headerOf(stored)?.complete === true
        return this.read('creds', null, () => this.codec.decodeForeign(text))
    }

    /** What `decode` gives, or an error that says whose it is. @template T @param {string} type @param {string | null} id null of creds @param {() => T} decode */
    read(type, id, decode) {
        try {
            return decode()
        } catch (error) {
            if (!(error instanceof NotRead)) {
                throw error
            }
            throw new UnreadableValue(`${named(type, id)} of company ${JSON.stringify(this.companyId)} cannot be read`, {
                detail: error.message,
                hint: id === null
                    ? 'Another program stored it. auth_creds_history lists earlier creds, auth_restore_creds puts them back. Nothing was changed.'
                    : 'Another program stored it. Restore it from a backup; or delete it, if its type may be lost. Nothing was changed.',
                companyId: this.companyId, keyType: type, keyId: id
            })
        }
    }

    /** The text that was encrypted. @param {string} type @param {string | null} id null of creds @param {string} sealed */
    async opened(type, id, sealed) {
        const header = headerOf(sealed)
        try {
            return await this.#verified(type, id, header, sealed)
        } catch (error) {
            if (!(error instanceof NotOpened)) {
                throw error
            }
            const kid = typeof header?.kid === 'string' ? header.kid : null
            throw new DecryptionError(
                `${named(type, id)} of company ${JSON.stringify(this.companyId)} cannot be decrypted` +
                    (kid === null ? '' : `, key ${JSON.stringify(kid)}`),
                {
                    detail: error.message,
                    hint: 'Give the key that it was encrypted with, or restore it from a backup. Nothing was changed.',
                    companyId: this.companyId, keyType: type, keyId: id, kid
                }
            )
        }
    }

    /** @param {string} type @param {string | null} id @param {Record<string, unknown> | null} header @param {string} sealed */
    async #verified(type, id, header, sealed) {
        if (!this.keyring) {
            throw new NotOpened('It is encrypted, and no keys were given.')
        }
        const plain = await this.keyring.decrypted(sealed, header)
        const found = /** @type {Record<string, unknown>} */ (header)
        if (found.company !== this.companyId || found.type !== type || (id === null ? Object.hasOwn(found, 'id') : found.id !== id)) {
            throw new NotOpened('It belongs to another company, type or id, and was moved.')
        }
        let text
        try {
            text = utf8.decode(plain)
            JSON.parse(text)
        } catch {
            throw new NotOpened('What is in it is no JSON.')
        }
        this.#remember(place(type, id), digestOf(found, text), sealed)
        return text
    }

    /** Whether a plain value is read now. */
    takesPlain() {
        return this.keyring?.allowPlaintext ?? !this.complete
    }

    /** @param {string} type @param {string | null} id */
    refused(type, id) {
        return new PlaintextRefused(`${named(type, id)} of company ${JSON.stringify(this.companyId)} is not encrypted`, {
            detail: this.keyring?.allowPlaintext === false
                ? 'Plain values are not allowed.'
                : 'Everything of this company was encrypted already: somebody wrote it since.',
            hint: 'Find out who writes without the keys. To read it all the same: allowPlaintext.',
            companyId: this.companyId, keyType: type, keyId: id, kid: null
        })
    }
}

class Opening {
    /** @param {Sealing} sealing */
    constructor(sealing) {
        this.sealing = sealing
        /** It had plain ones, and whether they may be read depends on what the creds say now. */
        this.isDoubtful = false
    }

    /** `{id: value}` as the library has them. @param {string} type @param {Record<string, any>} values as stored @param {string} [text] that they were parsed from */
    async ids(type, values, text) {
        const { sealing } = this
        if (!sealing.keyring && !Object.values(values).some(isSealed)) {
            return text !== undefined && sealing.codec.arePlain(text) ? values : Object.fromEntries(
                Object.entries(values).map(([id, value]) => [id, sealing.read(type, id, () => sealing.codec.revive(value))]))
        }
        return Object.fromEntries(await Promise.all(Object.entries(values).map(async ([id, value]) => {
            if (isSealed(value)) {
                const text = await sealing.opened(type, id, value)
                return [id, sealing.read(type, id, () => sealing.codec.decodeForeign(text))]
            }
            if (value !== null && !this.#takesPlain(type)) {
                throw sealing.refused(type, id)
            }
            return [id, sealing.read(type, id, () => sealing.codec.revive(value))]
        })))
    }

    /** The JSON text of a value, from that of what is stored; undefined where reading it throws. @param {string} type @param {string} id @param {string} text */
    async text(type, id, text) {
        const value = text.startsWith('"eyJ') ? JSON.parse(text) : undefined
        if (!isSealed(value)) {
            return this.#takesPlain(type) ? text : undefined
        }
        try {
            const opened = await this.sealing.opened(type, id, value)
            return mayHaveExponent(opened) && !isWhole(JSON.parse(opened)) ? undefined : opened
        } catch (error) {
            if (error instanceof DecryptionError) {
                return undefined
            }
            throw error
        }
    }

    /** @param {string} type */
    #takesPlain(type) {
        const { keyring } = this.sealing
        if (!keyring || keyring.plainTypes.has(type)) {
            return true
        }
        this.isDoubtful ||= keyring.allowPlaintext === undefined
        return this.sealing.takesPlain()
    }
}
