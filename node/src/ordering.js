/**
 * Writes of one account reach the database in the order they were issued, whatever connection they travel on;
 * other accounts never wait for them. A read of what is just being written waits for that write.
 */

/** @typedef {{touches: (type: string, ids: readonly string[]) => boolean, done: Promise<void>}} Pending */

/** @type {Map<string, Pending[]>} */
const accounts = new Map()

const nothing = () => {}

/**
 * @template T
 * @param {string} companyId
 * @param {Pending['touches']} touches whether the write is about one of these keys
 * @param {() => Promise<T>} run
 * @returns {Promise<T>}
 */
export function inTurn(companyId, touches, run) {
    const queue = accounts.get(companyId) ?? []
    accounts.set(companyId, queue)
    const result = queue.length ? queue[queue.length - 1].done.then(run) : run()
    const pending = { touches, done: result.then(nothing, nothing) }
    queue.push(pending)
    pending.done.then(() => {
        queue.splice(queue.indexOf(pending), 1)
        if (!queue.length) {
            accounts.delete(companyId)
        }
    })
    return result
}

/** Resolves when no write of these keys is under way. @param {string} companyId @param {string} type @param {readonly string[]} ids */
export async function written(companyId, type, ids) {
    const waiting = accounts.get(companyId)?.findLast(pending => pending.touches(type, ids))
    await waiting?.done
}

/** Resolves when all writes issued so far are done. @param {string} companyId */
export async function allWritten(companyId) {
    await accounts.get(companyId)?.at(-1)?.done
}
