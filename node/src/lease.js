/** The right to write an account, kept alive in the background. */
import { AuthStateError, LeaseHeld, LeaseLost, translated } from './errors.js'
import { retrying } from './retry.js'

const TTL_MS = 60_000
const LONGEST_TIMER_MS = 2 ** 31 - 1 // a longer one fires at once

export class Lease {
    /**
     * @param {import('./state.js').Transport} transport
     * @param {string} companyId
     * @param {{holder: string, ttlMs?: number, steal?: boolean}} options
     * @param {(error: Error) => void} [onLost]
     */
    constructor(transport, companyId, { holder, ttlMs = TTL_MS, steal = false }, onLost) {
        this.transport = transport
        this.companyId = companyId
        this.holder = holder
        this.ttlMs = ttlMs
        this.steal = steal
        this.onLost = onLost
        /** @type {number | null} */
        this.token = null
        /** When it ends unless renewed, in performance.now(), counted from before the request: our clock alone. */
        this.endsAt = 0
        /** @type {Error | null} */
        this.lost = null
        this.closed = false
        /** @type {NodeJS.Timeout | undefined} */
        this.timer = undefined
        /** @type {NodeJS.Timeout | undefined} */
        this.end = undefined
    }

    async acquire() {
        const sent = performance.now()
        const ttl = `${this.ttlMs} milliseconds`
        const [row] = await this.transport.rows('auth_acquire_lease', [
            ['p_company_id', 'text', this.companyId],
            ['p_holder', 'text', this.holder],
            ['p_ttl', 'interval', ttl],
            ['p_steal', 'boolean', this.steal]
        ], ['acquired', 'token', 'holder', 'expires_at'])
        if (String(row.acquired) !== 'true') {
            throw new LeaseHeld(this.companyId, row.holder, new Date(row.expires_at), row.holder === this.holder)
        }
        this.token = Number(row.token)
        this.#renewed(sent)
    }

    /** Throws once the lease is lost, without asking the database. */
    check() {
        if (!this.lost && !this.closed && performance.now() >= this.endsAt) {
            this.#end()
        }
        if (this.lost) {
            throw this.lost
        }
    }

    /** @param {Error} error */
    lose(error) {
        if (this.lost || this.closed) {
            return
        }
        this.lost = error
        clearTimeout(this.timer)
        clearTimeout(this.end)
        this.onLost?.(error)
    }

    /** Once more, if the answer was lost: then it is released already. */
    async release() {
        this.closed = true
        clearTimeout(this.timer)
        clearTimeout(this.end)
        if (this.token !== null && !this.lost) {
            await this.transport.scalar('auth_release_lease', [
                ['p_company_id', 'text', this.companyId], ['p_token', 'bigint', this.token]
            ])
        }
    }

    /** @param {number} sent */
    #renewed(sent) {
        this.endsAt = sent + this.ttlMs
        this.#watch()
        this.timer = setTimeout(() => void this.#renew(), Math.min(this.ttlMs / 3, LONGEST_TIMER_MS)).unref()
    }

    /** Tells at the moment the lease ends, whoever uses the account then. */
    #watch() {
        clearTimeout(this.end)
        const left = this.endsAt - performance.now()
        if (left > 0) {
            this.end = setTimeout(() => this.#watch(), Math.min(Math.ceil(left), LONGEST_TIMER_MS)).unref() // it may come a little early
        } else {
            this.#end()
        }
    }

    #end() {
        this.lose(new LeaseLost('the lease has ended', { code: 'WA002', companyId: this.companyId }))
    }

    async #renew() {
        let sent = 0
        try {
            await retrying(() => {
                sent = performance.now()
                return this.transport.scalar('auth_renew_lease', [
                    ['p_company_id', 'text', this.companyId],
                    ['p_token', 'bigint', this.token],
                    ['p_ttl', 'interval', `${this.ttlMs} milliseconds`]
                ])
            }, () => this.closed || this.lost ? 0 : this.endsAt)
            if (!this.closed && !this.lost) {
                this.#renewed(sent)
            }
        } catch (error) {
            const refusal = translated(error, this.companyId)
            if (refusal instanceof AuthStateError) {
                this.lose(refusal)
            } // anything else: the timer of the end tells, unless a write finds out before
        }
    }
}
