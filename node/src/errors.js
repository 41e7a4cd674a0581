/**
 * Exceptions, one for each SQLSTATE of the package. What goes wrong with the connection, the server or the
 * caller's rights stays the driver's own error. No message made here holds a value.
 */

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

/**
 * What to throw for an error of the driver: ours, or the driver's without the parts that may quote a value.
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
    // PostgreSQL's JSON parser quotes its input in DETAIL and CONTEXT.
    if (error?.code === '22P02' || error?.code === '22P05') {
        return new InvalidInput('the database cannot read the JSON', { code: error.code, companyId })
    }
    if (error && typeof error === 'object') {
        delete error.where
        delete error.internalQuery
    }
    return error
}
