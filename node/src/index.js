import { Postgres } from './postgres.js'
import { openState } from './state.js'
import { Supabase } from './supabase.js'

export {
    AuthStateError, DecryptionError, IdentityChangeRefused, InvalidInput, LeaseHeld, LeaseLost, NotFound, PlaintextRefused,
    UnreadableValue, UnsafeRequest, VersionConflict
} from './errors.js'
export { bindSignalJobs } from './signal-jobs.js'
export { useAuthState } from './use-auth-state.js'

/** @param {import('./postgres.js').Queryable} pool @param {string} companyId @param {import('../index.d.ts').DatabaseOptions} [options] */
export function useDatabaseAuthState(pool, companyId, options = {}) {
    return openState(new Postgres(pool, options), companyId, options)
}

/** @param {any} supabase @param {string} companyId @param {import('../index.d.ts').SupabaseOptions} [options] */
export function useSupabaseAuthState(supabase, companyId, options = {}) {
    return openState(new Supabase(supabase, options), companyId, options)
}
