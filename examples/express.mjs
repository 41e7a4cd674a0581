// Status, QR code and sending over HTTP, for many accounts: npm i express baileys pg pg-auth-state; DATABASE_URL=postgresql://… node express.mjs
import { hostname } from 'node:os'
import { DisconnectReason, makeWASocket } from 'baileys'
import express from 'express'
import pg from 'pg'
import { AuthStateError, LeaseLost, useDatabaseAuthState } from 'pg-auth-state'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
pool.on('error', error => console.error(error.message))
const sessions = new Map() // company id -> promise of { sock, status, qr, close }

function session(companyId) {
    if (!sessions.has(companyId)) {
        const opened = open(companyId)
        sessions.set(companyId, opened)
        opened.catch(() => sessions.delete(companyId))
    }
    return sessions.get(companyId)
}

async function open(companyId) {
    const stop = error => {
        console.error(`${companyId}: ${error.message}`)
        sessions.delete(companyId)
        self.status = 'stopped'
        self.sock?.end(undefined)
        self.close?.().catch(() => {})
    }
    const self = { status: 'connecting', qr: null }
    const { state, saveCreds, close } = await useDatabaseAuthState(pool, companyId, {
        lease: { holder: `${hostname()}:${process.pid}` }, onLeaseLost: stop
    })
    self.close = close
    const connect = () => {
        if (self.status === 'stopped') return
        self.sock = makeWASocket({ auth: state })
        self.sock.ev.on('creds.update', () => saveCreds().catch(stop))
        self.sock.ev.on('connection.update', ({ connection, lastDisconnect, qr }) => {
            self.qr = qr ?? (connection ? null : self.qr)
            if (connection === 'open') self.status = 'open'
            if (connection !== 'close' || self.status === 'stopped') return
            if (lastDisconnect?.error?.output?.statusCode === DisconnectReason.loggedOut) return stop(lastDisconnect.error)
            self.status = 'connecting'
            setTimeout(connect, 2000)
        })
    }
    connect()
    return self
}

const app = express()
app.use(express.json())
// Put your own authentication here: whoever may call this may write as the account.

const answer = handler => (request, response) => handler(request, response).catch(error => {
    const status = error instanceof LeaseLost ? 409 : error instanceof AuthStateError ? 400 : 500
    response.status(status).json({ error: error.message, hint: error.hint })
})

app.get('/:company', answer(async ({ params }, response) => {
    const { status, qr } = await session(params.company)
    response.json({ status, qr })
}))

app.post('/:company/messages', answer(async ({ params, body }, response) => {
    const { sock, status } = await session(params.company)
    if (status !== 'open') return response.status(503).json({ error: `the account is ${status}` })
    const { key } = await sock.sendMessage(body.to, { text: body.text })
    response.json({ id: key.id })
}))

app.listen(process.env.PORT ?? 3000)
