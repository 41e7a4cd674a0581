/** Both ways to an account, for what must be the same over each: over pg, and over supabase.rpc. */
import { useDatabaseAuthState, useSupabaseAuthState } from '../src/index.js'
import { Keyring } from '../src/keyring.js'
import { Sealing } from '../src/sealing.js'
import { counted, sql } from './faults.mjs'
import { encryption } from './jwe.mjs'
import { libsignal, pool } from './library.mjs'
import { postgrest } from './postgrest_stand_in.mjs'

/**
 * `{pg, supabase}`: each opens a company and counts its calls. Names of companies are told apart by the door.
 * @param {any} baileys
 */
export async function doors(baileys) {
    const db = counted(pool())
    const api = await postgrest()
    const service = api.client({ role: api.roles.service })
    const options = { baileys, libsignal }
    return {
        pg: { open: (companyId, more) => useDatabaseAuthState(db, companyId, { ...options, ...more }), calls: db },
        supabase: { open: (companyId, more) => useSupabaseAuthState(service, companyId, { ...options, ...more }), calls: api }
    }
}

/** The JWE of a JSON text, as an account that is encrypted completely has it. @param {string | null} id null of creds */
export async function encrypted(companyId, type, id, text) {
    const sealing = new Sealing(await Keyring.of(encryption), companyId, /** @type {any} */ (null))
    return JSON.parse(id === null
        ? await sealing.creds(text, { type, paired: false }, true)
        : (await sealing.batch({ [type]: { [id]: text } }))[type][id])
}

/** Stores creds as they are, past every check. */
export async function plantCreds(companyId, creds) {
    await plantCredsText(companyId, JSON.stringify(creds))
}

/** The same of their JSON text, which may hold numbers that JavaScript cannot. */
export async function plantCredsText(companyId, text) {
    await sql(
        `insert into whatsapp_auth (company_id, creds, version, created_at, updated_at) values ($1, $2::jsonb, 1, now(), now())
         on conflict (company_id) do update set creds = excluded.creds`, [companyId, text])
}

/** Stores the JSON text of a value as it is, past every check. */
export async function plantKey(companyId, type, id, text) {
    await sql(
        `insert into whatsapp_keys (company_id, key_type, key_id, value, created_at, updated_at) values ($1, $2, $3, $4::jsonb, now(), now())
         on conflict (company_id, key_type, key_id) do update set value = excluded.value`, [companyId, type, id, text])
}
