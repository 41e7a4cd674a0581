/**
 * Randomness and time that repeat, so that making the data twice gives the same bytes.
 * Import this before any Baileys: it replaces what node:crypto and Date give to the whole process.
 */
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

const { createHash, createPrivateKey, createPublicKey } = crypto
const RealDate = globalThis.Date
const X25519_PRIVATE_DER_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex')

let seed = 'unseeded'
let counter = 0
let now = RealDate.UTC(2026, 10, 14, 9, 0, 0)

/** Starts the stream of random bytes and the clock afresh. */
export function reseed(name, startAt = '2026-11-14T09:00:00Z') {
    seed = name
    counter = 0
    now = RealDate.parse(startAt)
}

/** Moves the clock on. */
export function pass(milliseconds) {
    now += milliseconds
}

/** The clock as milliseconds since 1970. */
export function clock() {
    return now
}

export function randomBytes(size) {
    const blocks = []
    for (let made = 0; made < size; made += 32) {
        blocks.push(createHash('sha256').update(`${seed}/${counter++}`).digest())
    }
    return Buffer.concat(blocks).subarray(0, size)
}

function randomInt(min, max) {
    if (typeof max !== 'number') {
        ;[min, max] = [0, min]
    }
    return min + (randomBytes(6).readUIntBE(0, 6) % (max - min))
}

function generateKeyPairSync(type, options) {
    if (type !== 'x25519') {
        throw new Error(`no seeded ${type} key pair`)
    }
    const der = Buffer.concat([X25519_PRIVATE_DER_PREFIX, randomBytes(32)])
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    return {
        privateKey: privateKey.export(options.privateKeyEncoding),
        publicKey: createPublicKey(privateKey).export(options.publicKeyEncoding)
    }
}

crypto.randomBytes = (size, done) => (done ? done(null, randomBytes(size)) : randomBytes(size))
crypto.randomInt = randomInt
crypto.generateKeyPairSync = generateKeyPairSync
syncBuiltinESMExports()

Math.random = () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48
globalThis.Date = class extends RealDate {
    constructor(...args) {
        args.length ? super(...args) : super(now)
    }
    static now() {
        return now
    }
}
