/** The contenders, each used as its README says, all of one kind of server on the same one. */
import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import KeyvPostgres from '@keyv/postgres'
import KeyvRedis from '@keyv/redis'
import { makeKeyvAuthState } from '@rodrigogs/baileys-store'
import * as baileys from 'baileys'
import Keyv from 'keyv'
import mysqlBaileys from 'mysql-baileys'
import pg from 'pg'
import { usePostgreSQLAuthState } from 'postgres-baileys'
import { useDatabaseAuthState } from '../../node/src/index.js'
import { usePerKeyAuthState, useProposedAuthState } from './statements.js'

/**
 * @typedef {{
 *   ours?: string, postgres?: string, folder?: string, redis?: string, redisAof?: string,
 *   mysql?: {port: number, user: string, database: string}
 * }} Servers where they are; what is not there is left out
 * @typedef {{name: string, open: (account: string) => Promise<any>, close: () => Promise<any>}} Store
 */

const ENCRYPTED = 'pg-auth-state, encrypted'

/** By name, how to make one of the servers that it needs. */
const CONTENDERS = {
    'pg-auth-state': ({ ours }) => ours && pooled(ours, (pool, account) => useDatabaseAuthState(pool, account, { baileys })),
    [ENCRYPTED]: ({ ours }) => ours && encrypted(ours),
    'pg-auth-state, warm cache': ({ ours }) => ours && warmed(ours),
    'useMultiFileAuthState': ({ folder }) => folder && inFolder(folder),
    'postgres-baileys': ({ postgres }) => postgres && postgresBaileys(postgres),
    'baileys-store on PostgreSQL': ({ postgres }) => postgres && keyvPostgres(postgres),
    'proposed statements': ({ postgres }) => postgres && pooled(postgres, useProposedAuthState),
    'a statement per key': ({ postgres }) => postgres && pooled(postgres, usePerKeyAuthState),
    'baileys-store on Redis': ({ redis }) => redis && keyvRedis(redis),
    'baileys-store on Redis, AOF always': ({ redisAof }) => redisAof && keyvRedis(redisAof),
    'mysql-baileys': ({ mysql }) => mysql && {
        open: session => mysqlBaileys.useMySQLAuthState({ session, host: '127.0.0.1', password: '', ...mysql }),
        close: async () => {} // its only connection is its own
    }
}

/** All but the encrypted one, which is measured against ourselves alone. */
const RIVALS = Object.keys(CONTENDERS).filter(name => name !== ENCRYPTED)

/** @param {Servers} servers @param {string[]} [names] @returns {Promise<Store[]>} */
export async function openStores(servers, names = RIVALS) {
    const stores = await Promise.all(names.map(async name => ({ name, ...await CONTENDERS[name](servers) })))
    return stores.filter(store => store.open)
}

/** @param {string} connectionString @param {(pool: pg.Pool, account: string) => Promise<any>} use */
function pooled(connectionString, use) {
    const pool = new pg.Pool({ connectionString })
    return { open: account => use(pool, account), close: () => pool.end() }
}

/** @param {string} connectionString */
function encrypted(connectionString) {
    const encryption = { keys: { '2026-11': randomBytes(32) }, current: '2026-11' }
    return pooled(connectionString, (pool, account) => useDatabaseAuthState(pool, `${account} encrypted`, { baileys, encryption }))
}

/** @param {string} folder */
async function inFolder(folder) {
    await mkdir(folder, { recursive: true })
    return { open: account => baileys.useMultiFileAuthState(join(folder, account)), close: async () => {} }
}

/** @param {string} connectionString */
function warmed(connectionString) {
    const pool = new pg.Pool({ connectionString })
    /** @type {any[]} */
    const opened = []
    return {
        async open(account) {
            const auth = await useDatabaseAuthState(pool, `${account} warm`, { baileys, lease: { holder: 'bench' } })
            opened.push(auth)
            return auth
        },
        async close() {
            await Promise.all(opened.map(auth => auth.close()))
            await pool.end()
        }
    }
}

/** @param {string} connectionString */
async function postgresBaileys(connectionString) {
    const pool = new pg.Pool({ connectionString })
    // It makes this table itself, while it reads from it: the very first account fails.
    await pool.query('create table if not exists auth_data (session_key varchar(255) primary key, data text not null)')
    return { open: account => usePostgreSQLAuthState(pool, account), close: () => pool.end() }
}

/** @param {string} connectionString */
function keyvPostgres(connectionString) {
    const store = new Keyv({ store: new KeyvPostgres(connectionString), namespace: 'baileys' })
    return { open: account => makeKeyvAuthState(store, account), close: () => store.disconnect() }
}

/** @param {string} url */
function keyvRedis(url) {
    /** @type {Keyv[]} */
    const opened = []
    return {
        open(account) {
            const store = new Keyv({ store: new KeyvRedis(url), namespace: account })
            opened.push(store)
            return makeKeyvAuthState(store, account)
        },
        close: () => Promise.all(opened.map(store => store.disconnect()))
    }
}

/** The accounts of a store, with creds and the keys that `keysOf` gives. */
export function filled(store, accounts, keysOf, creds) {
    return Promise.all(accounts.map(async account => {
        const auth = await store.open(account)
        Object.assign(auth.state.creds, creds)
        await auth.saveCreds()
        await auth.state.keys.set(keysOf(account))
        return auth
    }))
}

/** Fails when a value is missing: some of the stores take an error for that. */
export function assertFound(store, found, ids) {
    for (const id of ids) {
        if (!found[id]) {
            throw new Error(`${store.name} lost ${id}`)
        }
    }
}

export const servers = JSON.parse(process.env.BENCH_SERVERS ?? '{}')
export const quick = process.env.BENCH_QUICK === '1'

/** @param {string} workload @param {Store | {name: string}} store @param {number[]} values @param {string} [unit] */
export function report(workload, store, values, unit = 'ms') {
    console.log(JSON.stringify({ workload, store: store.name, unit, values }))
}
