/**
 * Exceptions, one for each SQLSTATE of the package. What goes wrong with the connection, the server or the
 * caller's rights stays the driver's own error. No message made here holds a value.
 */
import { types } from 'node:util'

export class AuthStateError extends Error {
    /** @param {string} message @param {{code?: string, detail?: string, hint?: string, companyId?: string}} [more] */
    constructor(message, { code = '', detail, hint, companyId } = {}) {
        super(message)
        this.name = new.target.name
        this.code = code
        this.detail = detail
        this.hint = hint
        this.companyId = companyId
    }
}

/** WA001: refused whole, nothing was written; `detail` names the JSON path at fault. */
export class InvalidInput extends AuthStateError {}
/** WA002: the lease is held by somebody else, or lost. Stop using the account: somebody else may be writing it. */
export class LeaseLost extends AuthStateError {}
/** WA002, on opening: somebody else holds the lease, or another process under this one's own name. */
export class LeaseHeld extends LeaseLost {
    /** @param {string} companyId @param {string} holder @param {Date} expiresAt @param {boolean} isOwnName whether the holder that asked has this name */
    constructor(companyId, holder, expiresAt, isOwnName) {
        const own = '; your own name holds it: is another process running under it?'
        const naming = 'Give each process a name that no other live process has, such as its host name and process id. '
        super(`company ${JSON.stringify(companyId)} is under a lease${isOwnName ? own : ''}`, {
            code: 'WA002',
            detail: `${JSON.stringify(holder)} holds it until ${expiresAt.toISOString()}.`,
            hint: `${isOwnName ? naming : ''}Wait until the lease has ended, or pass steal: true.`,
            companyId
        })
        this.holder = holder
        this.expiresAt = expiresAt
    }
}
/** WA003: the creds are not at the expected version any more. */
export class VersionConflict extends AuthStateError {}
/** WA004: no such company or version. */
export class NotFound extends AuthStateError {}
/** WA005: the creds would replace those of a paired account by another identity. */
export class IdentityChangeRefused extends AuthStateError {}
/** WA006: unsafe or impossible here; `hint` says what to do instead. */
export class UnsafeRequest extends AuthStateError {}

/** A stored value cannot be read: JavaScript cannot hold it. Of this package, not of the database. */
export class UnreadableValue extends AuthStateError {
    /** @param {string} message @param {{keyType: string, keyId: string | null, detail?: string, hint?: string, companyId?: string}} more */
    constructor(message, { keyType, keyId, ...more }) {
        super(message, more)
        this.keyType = keyType
        this.keyId = keyId
    }
}

/** A stored value cannot be decrypted: no key, another key, or it was changed or moved. Of this package, not of the database. */
export class DecryptionError extends AuthStateError {
    /** @param {string} message @param {{keyType: string, keyId: string | null, kid: string | null, detail?: string, hint?: string, companyId?: string}} more */
    constructor(message, { keyType, keyId, kid, ...more }) {
        super(message, more)
        this.keyType = keyType
        this.keyId = keyId
        this.kid = kid
    }
}
/** The value is not encrypted, but everything of this account should be: somebody wrote it without the keys. */
export class PlaintextRefused extends DecryptionError {}

const BY_CODE = {
    WA001: InvalidInput,
    WA002: LeaseLost,
    WA003: VersionConflict,
    WA004: NotFound,
    WA005: IdentityChangeRefused,
    WA006: UnsafeRequest
}

// PostgreSQL quotes its input in what it says of a data exception.
const DATA_EXCEPTION = /^22[0-9A-Z]{3}$/
const JSON_SYNTAX = new Set(['22P02', '22P05'])
// Our functions raise these with a DETAIL, and PostgREST writes its own. Any other DETAIL may be a row.
const DETAILED = /^(?:42501|55P03|54000|PGRST.*)$/
// Where the JSON of an object begins, in whatever spelling: the arguments, a row, the request that a gateway sends back.
const QUOTES_JSON = /\{\\*(?:"|&quot;|&#34;)/
const KEPT = [
    'code', 'severity', 'hint', 'schema', 'table', 'column', 'dataType', 'constraint', 'routine', 'status',
    'errno', 'syscall', 'address', 'port', 'hostname'
]
const DEEPEST = 5

/** @param {any} text */
const isQuoting = text => QUOTES_JSON.test(text)

/** Of whatever realm: in a test runner's the errors of Node are no instances of its `Error`. @param {any} error @returns {boolean} */
const isError = error => error instanceof Error || types.isNativeError(error)

/**
 * An error of the driver with nothing of it but what cannot hold a value, causes included: a list of what is taken
 * off would never be complete. It is of the same class.
 * @param {any} error @param {number} [depth] @returns {Error}
 */
function bare(error, depth = 0) {
    if (!isError(error)) {
        return new Error('the driver raised what is no error')
    }
    const isWithheld = isQuoting(error.message) || error.name === 'SyntaxError' // JSON.parse quotes its input
    const kept = /** @type {any} */ (new Error(isWithheld ? 'the call failed; the message is withheld: it quotes what was sent' : error.message))
    for (const name of DETAILED.test(error.code) ? [...KEPT, 'detail', 'details'] : KEPT) {
        const value = error[name]
        if ((typeof value === 'string' && !isQuoting(value)) || typeof value === 'number') {
            kept[name] = value
        }
    }
    if (depth < DEEPEST) {
        if (isError(error.cause)) {
            kept.cause = bare(error.cause, depth + 1)
        }
        if (Array.isArray(error.errors)) {
            kept.errors = error.errors.map((/** @type {any} */ each) => bare(each, depth + 1))
        }
    }
    Object.defineProperty(kept, 'name', { value: `${error.name}`, configurable: true, writable: true })
    return Object.setPrototypeOf(kept, Object.getPrototypeOf(error))
}

/**
 * What to throw for an error of the driver: ours, or the driver's without all that may quote a value.
 * @param {any} error @param {string} [companyId]
 */
export function translated(error, companyId) {
    if (error instanceof AuthStateError) {
        return error
    }
    const kind = BY_CODE[/** @type {keyof BY_CODE} */ (error?.code)]
    if (kind) {
        const { code, message, hint } = error
        return new kind(message, { code, detail: error.detail ?? error.details ?? undefined, hint: hint ?? undefined, companyId })
    }
    if (DATA_EXCEPTION.test(error?.code)) {
        const what = JSON_SYNTAX.has(error.code) ? 'the database cannot read the JSON' : 'the database cannot use an argument'
        return new InvalidInput(what, { code: error.code, companyId })
    }
    return bare(error)
}
