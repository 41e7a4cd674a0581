/**
 * The keys of an account that is ours alone, in memory as plain JSON text: nobody else writes while the lease lives.
 * All ids are known, so that a miss is free; values that do not fit are read on demand.
 */
import { pages } from './pages.js'

export class Cache {
    /** @param {number} maxBytes of JSON text */
    constructor(maxBytes) {
        this.maxBytes = maxBytes
        this.bytes = 0
        /** Text of a value; undefined: it is there, but not here. @type {Map<string, Map<string, string | undefined>>} */
        this.types = new Map()
    }

    /**
     * @param {import('./state.js').Transport} transport @param {string} companyId
     * @param {(type: string, id: string, stored: string) => Promise<string | undefined>} open gives the text of a value; undefined: reading it throws
     */
    async load(transport, companyId, open) {
        /** @type {any[]} */
        const types = await transport.rows('auth_stats', [['p_company_id', 'text', companyId]], ['key_type', 'bytes'])
        for (const { key_type: type } of types.sort((a, b) => Number(a.bytes) - Number(b.bytes))) {
            for await (const rows of pages(transport, companyId, type, () => this.bytes < this.maxBytes)) {
                const texts = await Promise.all(rows.map(row => row.value === undefined ? undefined : open(type, row.key_id, row.value)))
                rows.forEach((row, index) => this.put(type, row.key_id, texts[index]))
            }
        }
    }

    /** Whether there is such a key, or may be: that is what only the database knows. @param {string} type @param {string} id */
    has(type, id) {
        return this.types.get(type)?.has(id) ?? false
    }

    /** @param {string} type @param {string} id */
    text(type, id) {
        return this.types.get(type)?.get(id)
    }

    /** @param {string} type @param {string} id @param {string | undefined} text undefined: only the database has it */
    put(type, id, text) {
        let values = this.types.get(type)
        if (!values) {
            this.types.set(type, values = new Map())
        }
        this.bytes -= values.get(id)?.length ?? 0
        const fits = text !== undefined && this.bytes + text.length <= this.maxBytes
        values.set(id, fits ? text : undefined)
        this.bytes += fits ? text.length : 0
    }

    /** @param {string} type @param {string} id */
    remove(type, id) {
        const values = this.types.get(type)
        this.bytes -= values?.get(id)?.length ?? 0
        values?.delete(id)
    }

    /** Only the database has the values: of what was known, it may have none. */
    forget() {
        for (const values of this.types.values()) {
            for (const id of values.keys()) {
                values.set(id, undefined)
            }
        }
        this.bytes = 0
    }

    clear() {
        this.types.clear()
        this.bytes = 0
    }
}
