/** Files or database, as USE_DATABASE_AUTH_STATE says: the way there and back without a change of code. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidInput, UnsafeRequest, translated } from './errors.js'
import { Postgres } from './postgres.js'
import { installedBaileys, openState } from './state.js'

const FLAG = 'USE_DATABASE_AUTH_STATE'
const ON = ['1', 'true', 'yes', 'on']
const OFF = ['', '0', 'false', 'no', 'off']

/** @param {Record<string, string | undefined>} environment */
function usesDatabase(environment) {
    const value = (environment[FLAG] ?? '').trim().toLowerCase()
    if (!ON.includes(value) && !OFF.includes(value)) {
        throw new InvalidInput(`invalid ${FLAG}`, { code: 'WA001', hint: 'Set it to true or false.' }) // a guess could mean the wrong account
    }
    return ON.includes(value)
}

/** @param {import('../index.d.ts').AuthStateSource} source */
export async function useAuthState({ folder, pool, companyId, environment = process.env, ...options }) {
    if (usesDatabase(environment)) {
        const transport = new Postgres(pool, options)
        await refuseIfNotImported(transport, folder, companyId)
        return openState(transport, companyId, options)
    }
    const baileys = options.baileys ?? await installedBaileys()
    return { ...await baileys.useMultiFileAuthState(folder), close: async () => {}, lease: null }
}

/** A program that finds no creds pairs anew. @param {Postgres} transport @param {string} folder @param {string} companyId */
async function refuseIfNotImported(transport, folder, companyId) {
    try {
        await readFile(join(folder, 'creds.json'))
    } catch (error) {
        if (['ENOENT', 'ENOTDIR'].includes(/** @type {any} */ (error).code)) {
            return
        }
        throw error
    }
    let version
    try {
        version = await transport.scalar('auth_creds_version', [['p_company_id', 'text', companyId]])
    } catch (error) {
        throw translated(error, companyId)
    }
    if (version === null) {
        throw new UnsafeRequest(`${companyId} is not in the database, and its creds are in ${folder}`, {
            code: 'WA006', hint: `pg-auth-state import ${folder}, or move the folder away.`, companyId
        })
    }
}
