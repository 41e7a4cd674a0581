/** Values as Baileys has them, of the sizes that it writes, another one every time. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { BufferJSON } from 'baileys'

const sample = JSON.parse(readFileSync(new URL('../../examples/sample_account.json', import.meta.url), 'utf8'), BufferJSON.reviver)
const between = (least, most) => text => text.length >= least && text.length <= most

/** JSON texts of the sample's sessions of 1 to 2 KB. */
const sessions = Object.values(sample.keys.session).map(value => JSON.stringify(value)).filter(between(900, 2200))

export const creds = sample.creds

// Random enough, and no time of the contenders.
const noise = randomBytes(1 << 16)
const bytes = size => {
    const start = Math.floor(Math.random() * (noise.length - size))
    return Buffer.from(noise.subarray(start, start + size))
}
const base64 = size => bytes(size).toString('base64')

let count = 0

export function session() {
    const value = JSON.parse(sessions[count++ % sessions.length])
    for (const one of Object.values(value._sessions)) {
        one.currentRatchet.rootKey = base64(32)
    }
    return value
}

/** What a turn of the ratchet does to a session that was read. */
export function turned(value) {
    Object.values(value._sessions)[0].currentRatchet.rootKey = base64(32)
    return value
}

export const preKey = () => ({ public: bytes(32), private: bytes(32) })

/** A Buffer with JSON text in it, as libsignal keeps it: 2 KB. */
export const senderKey = () => Buffer.from(JSON.stringify([{
    senderKeyId: 1,
    senderChainKey: { iteration: count++, seed: base64(32) },
    senderSigningKey: { public: base64(33), private: base64(32) },
    senderMessageKeys: Array.from({ length: 16 }, (_, iteration) => ({ iteration, seed: base64(32) }))
}]))

export const memory = devices => Object.fromEntries(devices.map(device => [`${device}@s.whatsapp.net`, true]))

export const identityKey = () => bytes(33)

/** `{id: value}` @param {string[]} ids @param {() => any} value */
export const each = (ids, value) => Object.fromEntries(ids.map(id => [id, value()]))

export const devices = count => Array.from({ length: count }, (_, number) => `${5511900000000 + number}.${number % 3}`)
export const numbers = count => Array.from({ length: count }, (_, number) => `${number + 1}`)
