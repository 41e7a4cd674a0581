/** The contenders, each used as its README says, all of one kind of server on the same one. */
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

const nothing = async () => {}

/** @param {Servers} servers @returns {Promise<Store[]>} */
export async function openStores({ ours, postgres, folder, redis, redisAof, mysql }) {
    /** @type {Store[]} */
    const stores = []
    if (ours) {
        const pool = new pg.Pool({ connectionString: ours })
        const options = { baileys }
        stores.push(
            { name: 'pg-auth-state', open: account => useDatabaseAuthState(pool, account, options), close: () => pool.end() },
            warmed(ours)
        )
    }
    if (folder) {
        await mkdir(folder, { recursive: true })
        stores.push({ name: 'useMultiFileAuthState', open: account => baileys.useMultiFileAuthState(join(folder, account)), close: nothing })
    }
    if (postgres) {
        stores.push(await postgresBaileys(postgres), keyvPostgres(postgres))
        for (const [name, use] of [['proposed statements', useProposedAuthState], ['a statement per key', usePerKeyAuthState]]) {
            const pool = new pg.Pool({ connectionString: postgres })
            stores.push({ name, open: account => use(pool, account), close: () => pool.end() })
        }
    }
    if (redis) {
        stores.push(keyvRedis('baileys-store on Redis', redis))
    }
    if (redisAof) {
        stores.push(keyvRedis('baileys-store on Redis, AOF always', redisAof))
    }
    if (mysql) {
        const { useMySQLAuthState } = mysqlBaileys
        stores.push({
            name: 'mysql-baileys',
            open: session => useMySQLAuthState({ session, host: '127.0.0.1', password: '', ...mysql }),
            close: nothing // its only connection is its own
        })
    }
    return stores
}

/** @param {string} connectionString */
function warmed(connectionString) {
    const pool = new pg.Pool({ connectionString })
    /** @type {any[]} */
    const opened = []
    return {
        name: 'pg-auth-state, warm cache',
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
    return { name: 'postgres-baileys', open: account => usePostgreSQLAuthState(pool, account), close: () => pool.end() }
}

/** @param {string} connectionString */
function keyvPostgres(connectionString) {
    const store = new Keyv({ store: new KeyvPostgres(connectionString), namespace: 'baileys' })
    return { name: 'baileys-store on PostgreSQL', open: account => makeKeyvAuthState(store, account), close: () => store.disconnect() }
}

/** @param {string} name @param {string} url */
function keyvRedis(name, url) {
    /** @type {Keyv[]} */
    const opened = []
    return {
        name,
        open(account) {
            const store = new Keyv({ store: new KeyvRedis(url), namespace: account })
            opened.push(store)
            return makeKeyvAuthState(store, account)
        },
        close: () => Promise.all(opened.map(store => store.disconnect()))
    }
}

/** The accounts of a store with creds and the keys that `keysOf` gives, read back. */
export async function filled(store, accounts, keysOf, creds) {
    const open = []
    for (const account of accounts) {
        const auth = await store.open(account)
        Object.assign(auth.state.creds, creds)
        await auth.saveCreds()
        await auth.state.keys.set(keysOf(account))
        open.push(auth)
    }
    return open
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
