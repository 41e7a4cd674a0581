/**
 * libsignal keeps one queue of jobs for each peer, for the whole process, and runs a job in the async context of
 * whoever woke the queue (src/queue_job.js). Baileys 7 keeps its transaction in that context (addTransactionCapability,
 * AsyncLocalStorage). With two accounts that talk to the same customer, a job of one can so run outside its own
 * transaction, and a ratchet step is lost, on any store. Binding each job to its caller cures that.
 */
import { AsyncResource } from 'node:async_hooks'
import { createRequire } from 'node:module'

const BOUND = Symbol.for('pg-auth-state.bound-signal-jobs')

/** The libsignal that the installed Baileys uses. @returns {any} */
function installedLibsignal() {
    const here = createRequire(import.meta.url)
    for (const name of ['baileys', '@whiskeysockets/baileys']) {
        try {
            return createRequire(here.resolve(name))('libsignal')
        } catch {
            // not there
        }
    }
    try {
        return here('libsignal')
    } catch {
        return undefined
    }
}

/**
 * Once per process is enough; more often does no harm.
 * @param {any} [libsignal] the module, where it is not found beside the installed Baileys
 * @returns {boolean} whether there was one to bind
 */
export function bindSignalJobs(libsignal) {
    const found = libsignal ?? installedLibsignal()
    const { SessionCipher, SessionBuilder } = found?.default ?? found ?? {}
    if (!SessionCipher?.prototype?.queueJob || !SessionBuilder?.prototype?.initOutgoing) {
        return false
    }
    if (SessionCipher.prototype[BOUND]) {
        return true
    }
    const { queueJob } = SessionCipher.prototype
    const { initOutgoing } = SessionBuilder.prototype
    SessionCipher.prototype.queueJob = function (/** @type {() => Promise<any>} */ job) {
        return queueJob.call(this, AsyncResource.bind(job))
    }
    // Its job is a closure that we cannot reach, but all that it awaits is the storage.
    SessionBuilder.prototype.initOutgoing = function (/** @type {any[]} */ ...args) {
        const { storage } = this
        const builder = Object.create(this, { storage: { value: bound(storage) } })
        return initOutgoing.apply(builder, args)
    }
    Object.defineProperty(SessionCipher.prototype, BOUND, { value: true })
    return true
}

/** The storage, whose methods run in the present async context whoever calls them. @param {any} storage */
function bound(storage) {
    const caller = new AsyncResource('pg-auth-state.initOutgoing')
    return new Proxy(storage, {
        get(target, name) {
            const value = Reflect.get(target, name)
            return typeof value === 'function'
                ? (/** @type {any[]} */ ...args) => caller.runInAsyncScope(value, target, ...args)
                : value
        }
    })
}
