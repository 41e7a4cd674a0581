// Many accounts on several servers, each account on one: npm i baileys pg pg-auth-state; on every server: DATABASE_URL=postgresql://… node many_sessions.mjs
import { hostname } from 'node:os'
import { DisconnectReason, makeWASocket } from 'baileys'
import pg from 'pg'
import { LeaseLost, useDatabaseAuthState } from 'pg-auth-state'

const MAX_SESSIONS = Number(process.env.MAX_SESSIONS ?? 200) // what this server can carry
const LEASE_MS = Number(process.env.LEASE_MS ?? 30_000) // so soon another server takes over from one that died
const HOLDER = `${hostname()}:${process.pid}` // no two live processes may share a name

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 }) // not one connection per account
pool.on('error', error => console.error(error.message))

const sessions = new Map() // company id -> { sock, close }

/** Accounts that nobody has under a live lease: new ones, and those of a server that stopped or died. */
async function freeCompanies() {
    const { rows } = await pool.query(`
        select company_id
        from auth_list_companies(p_limit => 100000)
        left join auth_list_leases(p_limit => 100000) using (company_id)
        where is_live is not true
        order by random()`)
    return rows.map(row => row.company_id).filter(id => !sessions.has(id))
}

async function start(companyId) {
    const session = { sock: null, close: async () => {} }
    sessions.set(companyId, session)
    try {
        const { state, saveCreds, close } = await useDatabaseAuthState(pool, companyId, {
            lease: { holder: HOLDER, ttlMs: LEASE_MS },
            onLeaseLost: error => stop(companyId, error)
        })
        session.close = close
        console.log(`start ${companyId}`)
        connect(companyId, session, state, saveCreds)
    } catch (error) {
        sessions.delete(companyId)
        if (!(error instanceof LeaseLost)) throw error // LeaseLost: another server was faster
    }
}

function connect(companyId, session, state, saveCreds) {
    if (sessions.get(companyId) !== session) return // stopped meanwhile
    const sock = session.sock = makeWASocket({ auth: state })
    // Nobody awaits this handler: without a catch, one account's error would end the process of all.
    sock.ev.on('creds.update', () => saveCreds().catch(error => stop(companyId, error)))
    sock.ev.on('connection.update', ({ connection, lastDisconnect }) => {
        if (connection !== 'close') return
        const loggedOut = lastDisconnect?.error?.output?.statusCode === DisconnectReason.loggedOut
        if (loggedOut) stop(companyId, lastDisconnect.error) // and auth_delete_company, once it is to be paired anew
        else setTimeout(connect, 1000 + Math.random() * 4000, companyId, session, state, saveCreds)
    })
}

async function stop(companyId, why) {
    const session = sessions.get(companyId)
    if (!session) return
    sessions.delete(companyId)
    console.log(`stop ${companyId}: ${why.message}`)
    session.sock?.end(undefined)
    await session.close().catch(error => console.error(`${companyId}: ${error.message}`)) // gives a lease that it has back
}

async function takeOver() {
    try {
        for (const companyId of (await freeCompanies()).slice(0, Math.max(0, MAX_SESSIONS - sessions.size))) {
            await start(companyId)
        }
    } catch (error) {
        console.error(error.message) // tried again in a moment
    }
    setTimeout(takeOver, LEASE_MS / 3)
}

process.once('SIGTERM', async () => {
    await Promise.all([...sessions.keys()].map(id => stop(id, new Error('shutting down')))) // the others start them at once
    process.exit(0)
})
await takeOver()
