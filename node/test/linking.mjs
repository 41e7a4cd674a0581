/** A device is linked and logs in, by the real socket of a Baileys, with its state in the database. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { useDatabaseAuthState } from '../src/index.js'
import { baileys, libsignal, pool, SUPERUSER } from './library.mjs'
import { WhatsApp } from './whatsapp.mjs'

const silent = () => {}
const logger = { level: 'silent', child: () => logger, trace: silent, debug: silent, info: silent, warn: silent, error: silent }

const JID = '5511900000001:7@s.whatsapp.net'
const LID = '111122223333:7@lid'

/** @param version as in library.mjs @param preKeys how many it uploads at its first login */
export async function testLinking(version, preKeys) {
    const lib = await baileys(version)
    const { replacer } = lib.BufferJSON
    const db = pool()
    const superuser = new pg.Client({ connectionString: SUPERUSER })
    const whatsapp = await new WhatsApp(lib).listen()
    test.before(() => superuser.connect())
    test.after(() => Promise.all([whatsapp.close(), superuser.end()]))

    /** A start of the program: the state, a socket on it, and the server's end of its connection. */
    async function start(company, options) {
        const auth = await useDatabaseAuthState(db, company, { baileys: lib, libsignal, ...options })
        const sock = lib.makeWASocket({ auth: auth.state, logger, waWebSocketUrl: whatsapp.url, fireInitQueries: false })
        sock.ev.on('creds.update', auth.saveCreds)
        const update = wanted => new Promise((resolve, reject) => sock.ev.on('connection.update', seen => {
            if (wanted(seen)) {
                resolve(seen)
            } else if (seen.lastDisconnect) {
                reject(seen.lastDisconnect.error)
            }
        }))
        const connected = update(seen => seen.connection === 'connecting')
        const closed = update(seen => seen.connection === 'close')
        const opened = update(seen => seen.connection === 'open')
        const qr = update(seen => seen.qr)
        opened.catch(silent)
        qr.catch(silent)
        await connected
        const stop = async () => {
            sock.end(undefined)
            await closed
            await auth.close()
        }
        return { ...auth, server: await whatsapp.connection(), qr, opened, closed, stop }
    }

    /** The same, once the state is in the database, and nothing but it. */
    async function stored(company, creds) {
        const { rows: [row] } = await superuser.query('select creds from public.whatsapp_auth where company_id = $1', [company])
        assert.deepEqual(row.creds, JSON.parse(JSON.stringify(creds, replacer)))
    }

    for (const [how, options] of [['', {}], [', under a lease', { lease: { holder: 'bot' } }]]) {
        const company = `linked${how}`

        test(`a new account shows its QR code, and after a restart one of the same identity${how}`, async () => {
            const first = await start(company, options)
            first.server.route(Buffer.from([8, 2, 8, 5]))
            first.server.askForQr('ref-1', 'ref-2')
            const { qr } = await first.qr
            const { noiseKey, signedIdentityKey, advSecretKey } = first.state.creds
            const [, ...identity] = qr.split(',')
            assert.deepEqual(identity.slice(0, 3), [
                Buffer.from(noiseKey.public).toString('base64'), Buffer.from(signedIdentityKey.public).toString('base64'), advSecretKey
            ])
            assert.deepEqual(Buffer.from(first.server.noiseKey), Buffer.from(noiseKey.public))
            await first.stop()
            await stored(company, first.state.creds)

            const second = await start(company, options)
            assert.deepEqual(second.state.creds, JSON.parse(JSON.stringify(first.state.creds, replacer), lib.BufferJSON.reviver))
            assert.deepEqual(second.server.routingInfo, Buffer.from([8, 2, 8, 5]))
            assert.deepEqual(second.server.payload.devicePairingData, first.server.payload.devicePairingData)
            second.server.askForQr('ref-3')
            assert.deepEqual((await second.qr).qr.split(',').slice(1), identity)
            await second.stop()
            await stored(company, second.state.creds)
        })

        test(`an account that was scanned logs in after the restart, with its pre-keys in the database${how}`, async () => {
            whatsapp.preKeys.clear()
            const scanned = await start(company, options)
            scanned.server.askForQr('ref-4')
            scanned.server.scan((await scanned.qr).qr, { jid: JID, lid: LID })
            assert.equal((await scanned.closed).lastDisconnect.error.output.statusCode, lib.DisconnectReason.restartRequired)
            await scanned.close()
            assert.equal(scanned.state.creds.me.id, JID)
            await stored(company, scanned.state.creds)

            const linked = await start(company, options)
            assert.equal(String(linked.server.payload.username), '5511900000001')
            assert.equal(linked.server.payload.device, 7)
            assert.deepEqual(linked.server.noiseKey, scanned.server.noiseKey)
            linked.server.welcome(LID)
            await linked.opened
            await linked.stop()
            await stored(company, linked.state.creds)
            assert.equal(whatsapp.preKeys.size, preKeys)

            const again = await start(company, options)
            again.server.welcome(LID)
            await again.opened
            const ids = [...whatsapp.preKeys.keys()].map(String)
            const kept = await again.state.keys.get('pre-key', ids)
            for (const id of ids) {
                assert.deepEqual(kept[id].public, whatsapp.preKeys.get(Number(id)))
            }
            await again.stop()
            assert.equal(whatsapp.preKeys.size, preKeys) // none were made anew
        })
    }
}
