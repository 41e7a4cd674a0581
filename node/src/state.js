/** The auth state of one account, as Baileys wants it, over any transport. */
import { AuthStateError, InvalidInput, LeaseLost, UnsafeRequest, translated } from './errors.js'
import { Cache } from './cache.js'
import { faultOf } from './creds.js'
import { Keyring } from './keyring.js'
import { Lease } from './lease.js'
import { allWritten, inTurn, written } from './ordering.js'
import { pages } from './pages.js'
import { retrying } from './retry.js'
import { Sealing } from './sealing.js'
import { bindSignalJobs } from './signal-jobs.js'
import { assertStorable, codec as codecOf } from './values.js'

const RETRY_MS = 15_000
const MAX_CACHE_BYTES = 64 * 1024 * 1024

/**
 * @typedef {import('./postgres.js').Postgres | import('./supabase.js').Supabase} Transport
 * @typedef {import('../index.d.ts').AuthStateOptions} Options
 */

/** The Baileys that the program uses. @returns {Promise<any>} */
export async function installedBaileys() {
    for (const name of ['baileys', '@whiskeysockets/baileys']) {
        try {
            return await import(name)
        } catch (error) {
            if (/** @type {any} */ (error).code !== 'ERR_MODULE_NOT_FOUND') {
                throw error
            }
        }
    }
    throw new InvalidInput('Baileys is not installed where this package looks for it', {
        code: 'WA001', hint: 'npm i baileys, or pass it: { baileys: await import(…) }'
    })
}

/** @param {Transport} transport @param {string} companyId @param {Options} options */
export async function openState(transport, companyId, options = {}) {
    if (typeof companyId !== 'string' || companyId === '') {
        throw new InvalidInput('invalid companyId', { code: 'WA001', detail: 'companyId: a string is expected' })
    }
    assertStorable('companyId', companyId)
    const library = options.baileys ?? await installedBaileys()
    const baileys = library.proto ? library : library.default ?? library // 6.17 is CommonJS: import does not name all of it
    const keyring = options.encryption ? await Keyring.of(options.encryption) : null
    if (options.bindSignalJobs !== false) {
        bindSignalJobs(options.libsignal)
    }
    const account = new Account(transport, companyId, baileys, keyring, options)
    try {
        await account.open()
    } catch (error) {
        await account.close().catch(() => {})
        throw error
    }
    return account.published()
}

/** Of texts by type and id. @param {Record<string, Record<string, string>>} texts */
function json(texts) {
    const types = Object.entries(texts).map(([type, values]) => {
        const ids = Object.entries(values).map(([id, text]) => `${JSON.stringify(id)}:${text}`)
        return `${JSON.stringify(type)}:{${ids.join(',')}}`
    })
    return `{${types.join(',')}}`
}

class Account {
    /** @param {Transport} transport @param {string} companyId @param {any} baileys @param {Keyring | null} keyring @param {Options} options */
    constructor(transport, companyId, baileys, keyring, options) {
        this.transport = transport
        this.companyId = companyId
        this.baileys = baileys
        this.codec = codecOf(baileys.BufferJSON)
        this.sealing = new Sealing(keyring, companyId, this.codec)
        this.retryMs = options.retryMs ?? RETRY_MS
        this.closed = false
        /** @type {any} */
        this.creds = undefined
        /** @type {Lease | null} */
        this.lease = options.lease ? new Lease(transport, companyId, options.lease, error => {
            this.cache?.clear()
            this.sealing.forget()
            options.onLeaseLost?.(error)
        }) : null
        /** @type {Cache | null} */
        this.cache = options.lease ? new Cache(options.maxCacheBytes ?? MAX_CACHE_BYTES) : null
    }

    async open() {
        const { lease, cache } = this
        if (lease) {
            await this.#trying(() => lease.acquire())
        }
        this.creds = await this.#storedCreds() ?? await this.#newCreds()
        if (cache) {
            const opening = this.sealing.opening()
            await this.#trying(() => {
                cache.clear()
                return cache.load(this.transport, this.companyId, (type, id, stored) => opening.text(type, id, stored))
            })
            if (opening.isDoubtful && await this.#isComplete()) {
                cache.forget()
            }
        }
    }

    /** Null if there are none. */
    async #storedCreds() {
        const answer = await this.#read('auth_get_creds', [])
        return answer === null ? null : this.#usableCreds(answer)
    }

    /** @param {any} answer of the database, which has some */
    async #usableCreds(answer) {
        const [stored] = this.transport.parsed(answer)
        const creds = await this.sealing.openedCreds(stored)
        const fault = faultOf(creds)
        if (fault) {
            throw new UnsafeRequest(`no client can use the creds that are stored for company ${JSON.stringify(this.companyId)}`, {
                code: 'WA006',
                detail: fault,
                hint: 'auth_creds_history lists earlier ones, auth_restore_creds puts them back. Without those: auth_delete_company, then pair anew.',
                companyId: this.companyId
            })
        }
        return creds
    }

    /** Whether the creds say by now that all is encrypted. */
    async #isComplete() {
        await this.#storedCreds()
        return this.sealing.complete
    }

    /** Whoever starts together ends with the same identity: the database keeps the first creds. */
    async #newCreds() {
        const text = this.codec.encode(this.baileys.initAuthCreds())
        const creds = await this.sealing.creds(text, this.sealing.about(text), true)
        return this.#usableCreds(await this.#write(() => false, 'auth_init_creds', [['p_creds', 'jsonb', creds]]))
    }

    published() {
        return {
            state: {
                creds: this.creds,
                keys: {
                    get: this.get.bind(this),
                    set: this.set.bind(this),
                    clear: this.clear.bind(this),
                    list: this.list.bind(this),
                    listIds: this.listIds.bind(this)
                }
            },
            saveCreds: this.saveCreds.bind(this),
            close: this.close.bind(this),
            lease: this.lease
        }
    }

    /** @param {string} type @param {string[]} ids @returns {Promise<Record<string, any>>} */
    async get(type, ids) {
        this.#check()
        assertStorable('key type', type)
        ids.forEach(id => assertStorable('key id', id))
        await written(this.companyId, type, ids)
        this.#check()
        /** @type {Record<string, any>} */
        let found
        if (this.cache) {
            found = await this.#cached(type, ids, this.cache)
        } else if (ids.length) {
            found = await this.#fetch(type, ids)
        } else {
            found = {}
        }
        if (type === 'app-state-sync-key') {
            // As the file store does: with `create` keyData would stay a string.
            const { AppStateSyncKeyData } = this.baileys.proto.Message
            for (const id of Object.keys(found)) {
                found[id] = found[id] && AppStateSyncKeyData.fromObject(found[id])
            }
        }
        return found
    }

    /** Plain values hold unless all is encrypted by now: then they are read again, since they may have been meanwhile. @param {string} type @param {readonly string[]} ids */
    async #fetch(type, ids) {
        for (;;) {
            const answer = await this.#read('auth_get_keys', [['p_key_type', 'text', type], ['p_key_ids', 'text[]', ids]])
            const opening = this.sealing.opening()
            const found = await opening.ids(type, ...this.transport.parsed(answer))
            if (!opening.isDoubtful || !await this.#isComplete()) {
                return found
            }
        }
    }

    /** @param {string} type @param {string[]} ids @param {Cache} cache */
    async #cached(type, ids, cache) {
        const absent = ids.filter(id => cache.has(type, id) && cache.text(type, id) === undefined)
        const read = absent.length ? await this.#fetch(type, absent) : {}
        this.#check()
        return Object.fromEntries(ids.map(id => {
            const text = cache.text(type, id)
            return [id, text !== undefined ? this.sealing.read(type, id, () => this.codec.decode(text)) : Object.hasOwn(read, id) ? read[id] : null]
        }))
    }

    /** @param {Record<string, Record<string, any>>} data @returns {Promise<void>} */
    async set(data) {
        this.#check()
        // Now, at the call: what the caller changes afterwards is not part of it. Falsy deletes, as in the file store.
        /** @type {Record<string, Record<string, string>>} */
        const texts = Object.create(null)
        for (const type of Object.keys(data)) {
            assertStorable('key type', type)
            Object.keys(data[type] ?? {}).forEach(id => assertStorable('key id', id))
            texts[type] = Object.fromEntries(Object.entries(data[type] ?? {}).map(([id, value]) => [
                id, value ? this.codec.encode(value) : 'null'
            ]))
        }
        const sealed = this.sealing.keyring && this.sealing.batch(texts) // while earlier writes are under way
        sealed?.catch(() => {}) // thrown in turn
        /** @param {Record<string, Record<string, string>>} texts @returns {import('./postgres.js').Argument[]} */
        const keys = texts => [['p_data', 'jsonb', json(texts)]]
        const touches = (/** @type {string} */ type, /** @type {readonly string[]} */ ids) =>
            type in texts && ids.some(id => Object.hasOwn(texts[type], id))
        await this.#write(touches, 'auth_set_keys', sealed ? async () => keys(await sealed) : keys(texts), written => {
            for (const type in texts) {
                for (const id of Object.keys(texts[type])) {
                    if (!written) {
                        this.cache?.put(type, id, undefined) // whether it was written only the database knows
                    } else if (texts[type][id] === 'null') {
                        this.cache?.remove(type, id)
                    } else {
                        this.cache?.put(type, id, texts[type][id])
                    }
                }
            }
        })
    }

    /** @returns {Promise<void>} */
    async clear() {
        this.#check()
        await this.#write(() => true, 'auth_clear_keys', [], written => written ? this.cache?.clear() : this.cache?.forget())
    }

    /** @returns {Promise<void>} */
    async saveCreds() {
        this.#check()
        const fault = faultOf(this.creds)
        if (fault) {
            throw new InvalidInput('invalid creds', {
                code: 'WA001',
                detail: fault,
                hint: 'Change the creds that were opened. A new identity needs auth_delete_company first. Nothing was written.',
                companyId: this.companyId
            })
        }
        const text = this.codec.encode(this.creds) // now, at the call
        await this.#write(() => false, 'auth_save_creds', this.sealing.keyring ? this.#sealedCreds(text) : [['p_creds', 'jsonb', text]])
    }

    /** To be asked for in turn: whether all is encrypted has to be known. @param {string} text @returns {() => Promise<import('./postgres.js').Argument[]>} */
    #sealedCreds(text) {
        const { sealing } = this
        const about = sealing.about(text)
        return async () => {
            // Whoever stores the first creds has encrypted everything there is.
            const first = !sealing.complete && await this.#storedCreds() === null
            return [['p_creds', 'jsonb', await sealing.creds(text, about, sealing.complete || first)]]
        }
    }

    /** Pairs of id and value. @param {string} type @returns {AsyncGenerator<[string, any]>} */
    async *list(type) {
        for await (const ids of this.#pages(type)) {
            const found = await this.get(type, ids)
            for (const id of ids) { // an object would put numbers first
                if (found[id] !== null) {
                    yield [id, found[id]]
                }
            }
        }
    }

    /** @param {string} type @returns {AsyncGenerator<string>} */
    async *listIds(type) {
        for await (const ids of this.#pages(type)) {
            yield* ids
        }
    }

    /** @param {string} type */
    async *#pages(type) {
        assertStorable('key type', type)
        this.#check()
        await allWritten(this.companyId)
        const read = (/** @type {() => Promise<any[]>} */ page) => {
            this.#check()
            return this.#trying(page)
        }
        for await (const rows of pages(this.transport, this.companyId, type, () => false, read)) {
            yield rows.map(row => row.key_id)
        }
    }

    /** Waits for the writes under way and gives the lease back. The pool stays the caller's. */
    async close() {
        if (this.closed) {
            return
        }
        this.closed = true
        await allWritten(this.companyId)
        this.cache?.clear()
        this.sealing.forget()
        const { lease } = this
        if (lease) {
            await this.#trying(() => lease.release())
        }
    }

    #check() {
        if (this.closed) {
            throw new AuthStateError('the auth state is closed', { companyId: this.companyId })
        }
        this.lease?.check()
    }

    /** @param {string} fn @param {import('./postgres.js').Argument[]} args */
    #read(fn, args) {
        return this.#trying(() => this.transport.scalar(fn, [['p_company_id', 'text', this.companyId], ...args]))
    }

    /**
     * @param {(type: string, ids: readonly string[]) => boolean} touches
     * @param {string} fn
     * @param {import('./postgres.js').Argument[] | (() => Promise<import('./postgres.js').Argument[]>)} args or what gives them in turn
     * @param {(written: boolean) => void} [settled] before anybody can read what was written
     */
    #write(touches, fn, args, settled) {
        return inTurn(this.companyId, touches, async () => {
            this.lease?.check()
            const { token = null } = this.lease ?? {}
            try {
                const own = typeof args === 'function' ? await args() : args
                const all = /** @type {import('./postgres.js').Argument[]} */ ([
                    ['p_company_id', 'text', this.companyId], ...own, ['p_lease_token', 'bigint', token]
                ])
                const answer = await this.#trying(() => this.transport.scalar(fn, all))
                settled?.(true)
                return answer
            } catch (error) {
                settled?.(false)
                throw error
            }
        })
    }

    /**
     * Under a lease a company that stays busy is waited for until the lease ends: to give up loses a ratchet step.
     * @template T @param {() => Promise<T>} run
     */
    async #trying(run) {
        const started = performance.now()
        const until = (/** @type {any} */ error) => error.code === '55P03' && this.lease?.token
            ? this.lease.endsAt
            : Math.min(started + this.retryMs, this.lease?.token ? this.lease.endsAt : Infinity)
        try {
            return await retrying(run, until)
        } catch (error) {
            const refusal = translated(error, this.companyId)
            if (refusal instanceof LeaseLost && this.lease?.token) {
                this.lease.lose(refusal)
            }
            throw refusal
        }
    }
}
