/** Calls over `supabase.rpc`: one HTTP request each. */
import { isWhole } from './values.js'

/** @typedef {import('./postgres.js').Argument} Argument */

export class Supabase {
    /** @param {any} client of @supabase/supabase-js @param {{schema?: string}} options */
    constructor(client, { schema }) {
        this.client = schema === undefined ? client : client.schema(schema)
    }

    /** @param {string} fn @param {Argument[]} args @returns {Promise<any>} */
    async scalar(fn, args) {
        // supabase-js makes JSON of the arguments itself: it must not meet the text of JSON, or bytes.
        const named = args.map(([name, type, value]) => [name, type === 'jsonb' && value !== null ? JSON.parse(value) : value])
        const { data, error, status } = await this.client.rpc(fn, Object.fromEntries(named))
        if (error?.message?.startsWith('SyntaxError')) {
            throw new Error(`the answer to ${fn} is not JSON`) // JSON.parse quotes its input, and so may details
        }
        if (error) {
            throw Object.assign(new Error(error.message), {
                code: error.code || undefined, details: error.details ?? undefined, hint: error.hint ?? undefined, status
            })
        }
        // An empty answer is "no error, no data" to supabase-js, even a gateway's 404. Creds alone may be null.
        if (data === null && !(fn === 'auth_get_creds' && status === 200)) {
            throw Object.assign(new Error(`the answer to ${fn} is empty`), { status })
        }
        return data
    }

    /** @param {string} fn @param {Argument[]} args @param {string[]} columns */
    async rows(fn, args, columns) {
        const rows = await this.scalar(fn, args)
        // As text, like the other transport; only the cache reads values by rows, and keeps them so. What is not whole
        // any more stays in the database: reading it throws.
        return rows.map((/** @type {any} */ row) => Object.fromEntries(columns.map(column => [
            column, column !== 'value' ? row[column] : isWhole(row[column]) ? JSON.stringify(row[column]) : undefined
        ])))
    }

    /** A JSON answer as it is stored. @param {any} answer @returns {[value: any, text?: string]} */
    parsed(answer) {
        return [answer]
    }
}
