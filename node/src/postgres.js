/** Calls over `pg`: one statement each, named, so that a connection parses and plans it once. */
import { createHash } from 'node:crypto'

/**
 * @typedef {{query: (query: any) => Promise<{rows: any[]}>}} Queryable a pg Pool, or a Client
 * @typedef {[name: string, type: string, value: any]} Argument
 */

// Behind a pooler that hands out another server connection for each transaction and does not track prepared
// statements (PgBouncer before 1.21) a named one is unknown, or known already: from then on without names.
const UNPREPARED = new Set(['26000', '42P05'])
/** @type {WeakSet<object>} */
const unprepared = new WeakSet()

/** @param {string} name */
const quoted = name => `"${name.replaceAll('"', '""')}"`

export class Postgres {
    /** @param {Queryable} pool @param {{schema?: string, prepare?: boolean}} options */
    constructor(pool, { schema = 'public', prepare = true }) {
        this.pool = pool
        this.schema = schema
        if (!prepare) {
            unprepared.add(pool)
        }
        /** @type {Map<string, {name: string, text: string}>} */
        this.statements = new Map()
    }

    /** The answer as text; JSON, then, where it is JSON. @param {string} fn @param {Argument[]} args @returns {Promise<string | null>} */
    async scalar(fn, args) {
        const [row] = await this.#run(fn, args, call => `select ${call}::text as value`)
        return row.value
    }

    /** The answer as rows, columns of JSON as text, times as JSON has them. @param {string} fn @param {Argument[]} args @param {string[]} columns */
    rows(fn, args, columns) {
        // Times as text would be spelled as the session's DateStyle says.
        const list = columns.map(c => c.endsWith('_at') ? `to_json(${c}) #>> '{}' as ${c}` : `${c}::text`)
        return this.#run(fn, args, call => `select ${list.join(', ')} from ${call}`)
    }

    /** A JSON answer as it is stored, and its text. @param {any} answer @returns {[value: any, text?: string]} */
    parsed(answer) {
        if (answer === null) {
            return [null]
        }
        try {
            return [JSON.parse(answer), answer]
        } catch {
            throw new Error('the answer of the database is not JSON') // JSON.parse quotes its input
        }
    }

    /** @param {string} fn @param {Argument[]} args @param {(call: string) => string} select */
    async #run(fn, args, select) {
        const signature = `${fn} ${args.map(([name]) => name).join(' ')}`
        let statement = this.statements.get(signature)
        if (!statement) {
            const list = args.map(([name, type], index) => `${name} => $${index + 1}::${type}`).join(', ')
            const text = select(`${quoted(this.schema)}.${fn}(${list})`)
            const name = `pg_auth_state_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
            statement = { name, text }
            this.statements.set(signature, statement)
        }
        const values = args.map(([, , value]) => value)
        if (!unprepared.has(this.pool)) {
            try {
                return (await this.pool.query({ ...statement, values })).rows
            } catch (error) {
                if (!UNPREPARED.has(/** @type {any} */ (error).code)) {
                    throw error
                }
                unprepared.add(this.pool) // it was refused before it ran
            }
        }
        return (await this.pool.query({ text: statement.text, values })).rows
    }
}
