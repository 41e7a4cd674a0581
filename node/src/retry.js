/**
 * Transient failures are tried again, with jitter and for a bounded time.
 *
 * A connection that breaks after a statement was sent leaves open whether it committed. Every function that is
 * called here may run twice: set, save, import and clear write the same values again and find nothing to change,
 * init returns the creds that won, a lease asked for again by its holder is given anew or refused, and reads read.
 * Under a lease the token keeps a late repetition from overwriting what a new holder wrote.
 */

const CODES = new Set([
    '40001', '40P01', '55P03', // serialization failure, deadlock, the company stayed busy
    '57P01', '57P02', '57P03', // the server is going down, or not up yet
    '08000', '08001', '08003', '08004', '08006', // the connection
    '08P01', // what PgBouncer says while the server behind it is away
    '53300', // too many connections
    'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'
])
// What pg and fetch say without a code.
const MESSAGES = /^Connection terminated|not queryable|timeout exceeded when trying to connect|fetch failed|^TypeError: terminated$|server conn crashed/

// PostgREST without a connection, or a gateway without PostgREST; from 520 on, Cloudflare.
const STATUSES = new Set([502, 503, 504, 520, 521, 522, 523, 524])

const DEEPEST = 5 // causes may go round in circles

/** @param {any} error */
export function isTransient(error) {
    for (let each = error, depth = 0; each && depth < DEEPEST; each = each.cause ?? each.errors?.[0], depth++) {
        if (CODES.has(each.code) || STATUSES.has(each.status) || MESSAGES.test(each.message ?? '')) {
            return true
        }
    }
    return false
}

/** @param {number} ms */
const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

/**
 * @template T
 * @param {() => Promise<T>} run
 * @param {(error: any) => number} until in milliseconds of performance.now(): when to give up after this error
 * @returns {Promise<T>}
 */
export async function retrying(run, until) {
    for (let delay = 25; ; delay = Math.min(delay * 2, 1000)) {
        try {
            return await run()
        } catch (error) {
            const wait = delay * (0.5 + Math.random())
            if (!isTransient(error) || performance.now() + wait > until(error)) {
                throw error
            }
            await pause(wait)
        }
    }
}
