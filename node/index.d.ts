/** WhatsApp Web (Baileys) auth state in PostgreSQL, in one line instead of useMultiFileAuthState. */
import type { AuthenticationState } from 'baileys'

/** What `pg` has: a Pool, or a connected Client. */
export interface Queryable {
    query(query: any): Promise<{ rows: any[] }>
}

export interface LeaseOptions {
    /** A name that no other live process has, such as `${hostname()}:${process.pid}`. Under a name that stays the same, a restarted process has the lease at once. */
    holder: string
    /** How long the lease lasts without being renewed; it is renewed every third of it. 60,000 ms. */
    ttlMs?: number
    /** Take it from whoever has it. */
    steal?: boolean
}

export interface Jwk {
    kty: string
    kid?: string
    k?: string
}

/** A JWK Set (RFC 7517) is one of these. Wants `jose`. */
export interface EncryptionOptions {
    /** Keys of 32 bytes by their names, or the JWKs of a JWK Set. Those that still read something stay among them. */
    keys: Record<string, Uint8Array> | readonly Jwk[]
    /** The name of the one to write with; of JWKs the first unless told. */
    current?: string
    /** Types of keys that are not encrypted: lid-mapping, so that the cleanup can read them. All clients of an account must have the same. */
    plainTypes?: readonly string[]
    /** Whether values that are not encrypted are read. Unless told, they are until the account is known to be encrypted completely. */
    allowPlaintext?: boolean
}

export interface AuthStateOptions {
    /** The keys with which values are encrypted before they are sent. Without, what is encrypted is a DecryptionError. */
    encryption?: EncryptionOptions
    /** The Baileys in use, where `import('baileys')` would find none or another one. */
    baileys?: any
    /** The libsignal in use, where it is not found beside Baileys: for bindSignalJobs. */
    libsignal?: any
    /** Leave libsignal's shared job queue as it is. */
    bindSignalJobs?: boolean
    /** Become the only one who may write the account, and serve reads from memory. */
    lease?: LeaseOptions
    /** Told once, at the moment the lease is lost; from then on every call throws LeaseLost. */
    onLeaseLost?: (error: Error) => void
    /** How much JSON text, never encrypted there, to keep in memory under a lease; 64 MB. What does not fit is read on demand. */
    maxCacheBytes?: number
    /** How long transient failures are tried again; 15,000 ms. */
    retryMs?: number
}

export interface DatabaseOptions extends AuthStateOptions {
    /** Where the package is installed; public. */
    schema?: string
    /** False: no named statements, for a transaction-mode pooler that does not track them. Found out by itself otherwise. */
    prepare?: boolean
}

export interface SupabaseOptions extends AuthStateOptions {
    /** Where the package is installed, if that is not the schema of the client. */
    schema?: string
}

export interface Lease {
    readonly holder: string
    readonly token: number | null
    readonly lost: Error | null
}

export interface AuthState {
    state: AuthenticationState & {
        keys: {
            clear(): Promise<void>
            /** Every key of a type, by id in byte order. */
            list(type: string): AsyncIterable<[id: string, value: any]>
            listIds(type: string): AsyncIterable<string>
        }
    }
    /** Stores state.creds as they are at the moment of the call. InvalidInput, and nothing is sent, if they lost noiseKey or signedIdentityKey. */
    saveCreds(): Promise<void>
    /** Waits for the writes under way and gives the lease back; the pool stays yours. */
    close(): Promise<void>
    lease: Lease | null
}

/** The auth state of an account, over `pg`. Throws whatever goes wrong: an error is never "no creds". Stored creds that no client can use are UnsafeRequest. */
export function useDatabaseAuthState(pool: Queryable, companyId: string, options?: DatabaseOptions): Promise<AuthState>

/** The same over `supabase.rpc`, one HTTP request per operation. */
export function useSupabaseAuthState(supabase: any, companyId: string, options?: SupabaseOptions): Promise<AuthState>

export interface AuthStateSource extends DatabaseOptions {
    folder: string
    pool: Queryable
    companyId: string
    environment?: Record<string, string | undefined>
}

/** Over files, keys have no clear, list and listIds, and the lease is null. */
export type FileOrDatabaseAuthState = Omit<AuthState, 'state'> & { state: AuthenticationState }

/** Files or database, as USE_DATABASE_AUTH_STATE says. An account whose creds are still only in the folder is refused. */
export function useAuthState(source: AuthStateSource): Promise<FileOrDatabaseAuthState>

/** Run each job of libsignal in the async context of its caller. True if there was a libsignal to bind. */
export function bindSignalJobs(libsignal?: any): boolean

export class AuthStateError extends Error {
    code: string
    detail?: string
    hint?: string
    companyId?: string
}
export class InvalidInput extends AuthStateError {}
export class LeaseLost extends AuthStateError {}
/** On opening: somebody else holds the lease, or another process under this one's own name. */
export class LeaseHeld extends LeaseLost {
    holder: string
    expiresAt: Date
}
export class VersionConflict extends AuthStateError {}
export class NotFound extends AuthStateError {}
export class IdentityChangeRefused extends AuthStateError {}
export class UnsafeRequest extends AuthStateError {}
/** A stored value that JavaScript cannot hold: a number of more than 308 digits, or nesting too deep to be looked at. Reading it throws, every time. `code` is ''. */
export class UnreadableValue extends AuthStateError {
    /** 'creds' for creds. */
    keyType: string
    /** null for creds. */
    keyId: string | null
}
/** A stored value cannot be decrypted: no key, another key, or it was changed or moved. `code` is ''. */
export class DecryptionError extends AuthStateError {
    /** 'creds' for creds. */
    keyType: string
    /** null for creds. */
    keyId: string | null
    /** Under which key it is. */
    kid: string | null
}
/** The value is not encrypted, but everything of this account should be. Somebody wrote it without the keys; do not use it. */
export class PlaintextRefused extends DecryptionError {}
