/**
 * WhatsApp's side of a connection, as far as linking a device and logging in need it: the Noise handshake
 * (Noise_XX_25519_AESGCM_SHA256), binary nodes, and the phone that scans the QR code. On loopback, with keys of its own.
 */
import {
    createCipheriv, createDecipheriv, createHash, createHmac, createPrivateKey, createPublicKey, diffieHellman, hkdfSync
} from 'node:crypto'
import { createRequire } from 'node:module'
import { once } from 'node:events'

const { WebSocketServer } = createRequire(new URL('../../tests/baileys/package.json', import.meta.url))('ws')

const HEADER = Buffer.from([0x57, 0x41, 6, 3])
const EMPTY = Buffer.alloc(0)

const secret = raw => createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), raw]), format: 'der', type: 'pkcs8'
})
const open = raw => createPublicKey({
    key: Buffer.concat([Buffer.from('302a300506032b656e032100', 'hex'), raw]), format: 'der', type: 'spki'
})
const agree = (mine, theirs) => diffieHellman({ privateKey: secret(mine), publicKey: open(theirs) })
const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest()
const hmac = (key, ...parts) => createHmac('sha256', key).update(Buffer.concat(parts)).digest()

const nonce = counter => {
    const bytes = Buffer.alloc(12)
    bytes.writeUInt32BE(counter, 8)
    return bytes
}

function seal(key, counter, plain, authenticated) {
    const cipher = createCipheriv('aes-256-gcm', key, nonce(counter)).setAAD(authenticated)
    return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

function unseal(key, counter, sealed, authenticated) {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce(counter)).setAAD(authenticated)
    decipher.setAuthTag(sealed.subarray(-16))
    return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()])
}

/** The responder's half of the handshake. */
class Noise {
    hash = Buffer.from('Noise_XX_25519_AESGCM_SHA256\0\0\0\0')
    salt = this.hash
    key = this.hash
    counter = 0

    mixHash(...parts) {
        this.hash = sha256(this.hash, ...parts)
    }

    split(material) {
        const both = Buffer.from(hkdfSync('sha256', material, this.salt, '', 64))
        return [both.subarray(0, 32), both.subarray(32)]
    }

    mixKey(material) {
        [this.salt, this.key] = this.split(material)
        this.counter = 0
    }

    encrypt(plain) {
        const sealed = seal(this.key, this.counter++, plain, this.hash)
        this.mixHash(sealed)
        return sealed
    }

    decrypt(sealed) {
        const plain = unseal(this.key, this.counter++, sealed, this.hash)
        this.mixHash(sealed)
        return plain
    }
}

/** What is pushed, in order, to whoever asks for the next. */
class Queue {
    items = []
    waiting = []

    push(item) {
        const next = this.waiting.shift()
        next ? next(item) : this.items.push(item)
    }

    next() {
        return this.items.length ? Promise.resolve(this.items.shift()) : new Promise(resolve => this.waiting.push(resolve))
    }
}

/** A linked device that has connected, and who it says it is. */
class Connection {
    constructor(server, socket) {
        Object.assign(this, { server, lib: server.lib, socket, bytes: EMPTY, step: 'intro', noise: new Noise() })
        this.work = Promise.resolve()
        socket.on('message', data => {
            this.work = this.work.then(() => this.#receive(data)).catch(error => {
                server.connections.push(Promise.reject(error))
                socket.terminate()
            })
        })
    }

    async #receive(data) {
        this.bytes = Buffer.concat([this.bytes, data])
        if (this.step === 'intro') {
            if (this.bytes.subarray(0, 2).equals(Buffer.from('ED'))) {
                const end = 7 + this.bytes.readUIntBE(4, 3)
                this.routingInfo = this.bytes.subarray(7, end)
                this.bytes = this.bytes.subarray(end)
            }
            if (!this.bytes.subarray(0, 4).equals(HEADER)) {
                throw new Error('not the header of a WhatsApp client')
            }
            this.bytes = this.bytes.subarray(4)
            this.step = 'hello'
        }
        while (this.bytes.length >= 3 && this.bytes.length >= 3 + this.bytes.readUIntBE(0, 3)) {
            const end = 3 + this.bytes.readUIntBE(0, 3)
            const frame = this.bytes.subarray(3, end)
            this.bytes = this.bytes.subarray(end)
            await this.#frame(frame)
        }
    }

    async #frame(frame) {
        const { noise, lib } = this
        const { HandshakeMessage, ClientPayload } = lib.proto
        if (this.step === 'hello') {
            const theirs = Buffer.from(HandshakeMessage.decode(frame).clientHello.ephemeral)
            this.ephemeral = lib.Curve.generateKeyPair()
            noise.mixHash(HEADER)
            noise.mixHash(theirs)
            noise.mixHash(this.ephemeral.public)
            noise.mixKey(agree(this.ephemeral.private, theirs))
            const encrypted = noise.encrypt(this.server.keyPair.public)
            noise.mixKey(agree(this.server.keyPair.private, theirs))
            this.#sendFrame(HandshakeMessage.encode(HandshakeMessage.fromObject({
                serverHello: { ephemeral: this.ephemeral.public, static: encrypted, payload: noise.encrypt(this.server.certificate) }
            })).finish())
            this.step = 'finish'
        } else if (this.step === 'finish') {
            const { clientFinish } = HandshakeMessage.decode(frame)
            this.noiseKey = noise.decrypt(Buffer.from(clientFinish.static))
            noise.mixKey(agree(this.ephemeral.private, this.noiseKey))
            this.payload = ClientPayload.decode(noise.decrypt(Buffer.from(clientFinish.payload)))
            const [theirs, ours] = noise.split(EMPTY)
            this.read = { key: theirs, counter: 0 }
            this.write = { key: ours, counter: 0 }
            this.step = 'open'
            // Version 6 derives its last keys without waiting for them: a server on loopback would be too early.
            setTimeout(() => setImmediate(() => this.server.connections.push(this)), 100)
        } else {
            this.#answer(await lib.decodeBinaryNode(unseal(this.read.key, this.read.counter++, frame, EMPTY)))
        }
    }

    #sendFrame(data) {
        const size = Buffer.alloc(3)
        size.writeUIntBE(data.length, 0, 3)
        this.socket.send(Buffer.concat([size, data]))
    }

    send(tag, attrs, content) {
        const node = this.lib.encodeBinaryNode({ tag, attrs, content })
        this.#sendFrame(seal(this.write.key, this.write.counter++, node, EMPTY))
    }

    /** Every question gets an answer, as soon as it is logged in. */
    #answer({ tag, attrs, content }) {
        if (tag !== 'iq' || !['get', 'set'].includes(attrs.type)) {
            return
        }
        const asked = Array.isArray(content) ? content : []
        const list = asked.find(node => node.tag === 'list')
        if (list) {
            for (const { content: [id, value] } of list.content) {
                this.server.preKeys.set(id.content.readUIntBE(0, 3), value.content)
            }
        }
        this.send('iq', { from: '@s.whatsapp.net', type: 'result', id: attrs.id }, asked.flatMap(node => ({
            count: [{ tag: 'count', attrs: { value: String(this.server.preKeys.size) } }],
            digest: [{ tag: 'digest', attrs: {} }]
        })[node.tag] ?? []))
    }

    askForQr(...refs) {
        this.send('iq', { from: 's.whatsapp.net', type: 'set', id: 'pair-1', xmlns: 'md' }, [{
            tag: 'pair-device', attrs: {}, content: refs.map(ref => ({ tag: 'ref', attrs: {}, content: Buffer.from(ref) }))
        }])
    }

    route(info) {
        this.send('ib', { from: 's.whatsapp.net' }, [{
            tag: 'edge_routing', attrs: {}, content: [{ tag: 'routing_info', attrs: {}, content: info }]
        }])
    }

    /** What the phone does when it scans the QR code, and the restart that the server asks for then. */
    scan(qr, { jid, lid }) {
        const { lib } = this
        const [, , identity, adv] = qr.split(',').map(part => Buffer.from(part, 'base64'))
        const phone = lib.Curve.generateKeyPair()
        const { ADVDeviceIdentity, ADVSignedDeviceIdentity, ADVSignedDeviceIdentityHMAC } = lib.proto
        const device = ADVDeviceIdentity.encode({ rawId: 1, timestamp: 1_700_000_000, keyIndex: 1 }).finish()
        const details = ADVSignedDeviceIdentity.encode({
            details: device,
            accountSignatureKey: phone.public,
            accountSignature: lib.Curve.sign(phone.private, Buffer.concat([Buffer.from([6, 0]), device, identity]))
        }).finish()
        this.send('iq', { from: 's.whatsapp.net', type: 'set', id: 'pair-2' }, [{
            tag: 'pair-success', attrs: {}, content: [
                { tag: 'device-identity', attrs: {}, content: ADVSignedDeviceIdentityHMAC.encode({ details, hmac: hmac(adv, details) }).finish() },
                { tag: 'device', attrs: { jid, lid } },
                { tag: 'platform', attrs: { name: 'android' } }
            ]
        }])
        this.send('stream:error', { code: '515' })
    }

    welcome(lid) {
        this.send('success', { lid, t: '1700000000' })
    }
}

export class WhatsApp {
    connections = new Queue()
    /** Uploaded public pre-keys by id. */
    preKeys = new Map()

    /** @param lib the Baileys that will connect; it is made to trust this server's certificate */
    constructor(lib) {
        this.lib = lib
        const { Curve, WA_CERT_DETAILS, proto: { CertChain } } = lib
        const [root, issuer] = [Curve.generateKeyPair(), Curve.generateKeyPair()]
        this.keyPair = Curve.generateKeyPair()
        WA_CERT_DETAILS.PUBLIC_KEY = root.public
        const { Details } = CertChain.NoiseCertificate
        const signed = (by, fields) => {
            const details = Details.encode(fields).finish()
            return { details, signature: Curve.sign(by.private, details) }
        }
        this.certificate = CertChain.encode({
            intermediate: signed(root, { serial: 1, issuerSerial: WA_CERT_DETAILS.SERIAL, key: issuer.public }),
            leaf: signed(issuer, { serial: 2, issuerSerial: 1, key: this.keyPair.public })
        }).finish()
    }

    async listen() {
        this.server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
        this.server.on('connection', socket => new Connection(this, socket))
        await once(this.server, 'listening')
        this.url = `ws://127.0.0.1:${this.server.address().port}/ws/chat`
        return this
    }

    /** The next that gets through the handshake. */
    connection() {
        return this.connections.next()
    }

    close() {
        this.server.clients.forEach(socket => socket.terminate())
        return new Promise(resolve => this.server.close(resolve))
    }
}
