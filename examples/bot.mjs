// A bot that answers !ping, its account in PostgreSQL: npm i baileys pg pg-auth-state; DATABASE_URL=postgresql://… node bot.mjs
import { hostname } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { DisconnectReason, makeWASocket } from 'baileys'
import pg from 'pg'
import { LeaseHeld, useDatabaseAuthState } from 'pg-auth-state'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
pool.on('error', error => console.error(error.message)) // an idle connection broke; the next one is new

const HOLDER = process.env.HOLDER ?? `${hostname()}:${process.pid}` // no two live processes may share a name

/** A second copy stands by. After a crash, so does the next start, until the lease of the dead process has ended. */
async function open() {
    try {
        return await useDatabaseAuthState(pool, process.env.COMPANY_ID ?? 'my-bot', { lease: { holder: HOLDER }, onLeaseLost: quit })
    } catch (error) {
        if (!(error instanceof LeaseHeld)) throw error
        console.log(`Standing by: ${error.detail}`)
        await pause(5000)
        return open()
    }
}

const { state, saveCreds, close } = await open()

function connect() {
    const sock = makeWASocket({ auth: state })
    sock.ev.on('creds.update', () => saveCreds().catch(quit))
    sock.ev.on('connection.update', ({ connection, lastDisconnect, qr }) => {
        const code = lastDisconnect?.error?.output?.statusCode
        if (qr) console.log(`Scan this as a QR code (npx qrcode-terminal '${qr}')`)
        if (connection === 'open') console.log(`Online as ${state.creds.me.id}`)
        if (connection === 'close' && code === DisconnectReason.loggedOut) quit(lastDisconnect.error)
        else if (connection === 'close') setTimeout(connect, code === DisconnectReason.restartRequired ? 0 : 3000)
    })
    sock.ev.on('messages.upsert', async ({ messages, type }) => {
        for (const { key, message } of type === 'notify' ? messages : []) {
            if (message?.conversation === '!ping') await sock.sendMessage(key.remoteJid, { text: 'pong' })
        }
    })
}

async function quit(error) {
    console.error(error.message)
    await close().catch(() => {})
    process.exit(1)
}

process.once('SIGTERM', () => quit(new Error('stopped')))
connect()
