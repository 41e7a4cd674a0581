/**
 * Accounts that talk to each other inside this process, each with the library's own Signal code.
 * All numbers are made up; no account of the real network is involved.
 */
import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { clock, pass, randomBytes } from './seeded.mjs'

const silent = () => {}
export const logger = {
    level: 'silent',
    child: () => logger,
    trace: silent,
    debug: silent,
    info: silent,
    warn: silent,
    error: silent
}

/** The key store of somebody we talk to; nothing of it is kept. */
export function memoryStore() {
    const rows = new Map()
    return {
        get: async (type, ids) =>
            Object.fromEntries(ids.map(id => [id, rows.get(`${type} ${id}`) ?? null])),
        set: async data => {
            for (const type in data) {
                for (const id in data[type]) {
                    rows.set(`${type} ${id}`, data[type][id])
                }
            }
        }
    }
}

/** One linked device: creds, keys and the library's Signal repository over them. */
export class Device {
    constructor(lib, jid, { creds = lib.initAuthCreds(), store = memoryStore(), lid } = {}) {
        this.lib = lib
        this.jid = jid
        this.lid = lid
        this.creds = creds
        this.store = store
        this.keys = lib.addTransactionCapability(store, logger, {
            maxCommitRetries: 1,
            delayBetweenTriesMs: 1
        })
        this.repository = lib.makeLibSignalRepository({ creds, keys: this.keys }, logger)
    }

    /** What the socket does on creds.update, without the saving. */
    ev = { emit: (event, update) => event === 'creds.update' && Object.assign(this.creds, update) }

    async addPreKeys(count) {
        const { update } = await this.lib.getNextPreKeys(this, count)
        Object.assign(this.creds, update)
    }

    /** The server's answer to a request for this device's keys; `preKeyId` is the one it hands out. */
    async bundle(preKeyId) {
        const { lib, creds, keys, jid } = this
        const content = [
            { tag: 'registration', attrs: {}, content: lib.encodeBigEndian(creds.registrationId) },
            { tag: 'type', attrs: {}, content: lib.KEY_BUNDLE_TYPE },
            { tag: 'identity', attrs: {}, content: creds.signedIdentityKey.public },
            lib.xmppSignedPreKey(creds.signedPreKey)
        ]
        if (preKeyId) {
            const { [preKeyId]: pair } = await keys.get('pre-key', [String(preKeyId)])
            content.push(lib.xmppPreKey(pair, preKeyId))
        }
        const user = { tag: 'user', attrs: { jid }, content }
        return { tag: 'iq', attrs: {}, content: [{ tag: 'list', attrs: {}, content: [user] }] }
    }

    /** Opens a session towards `other`, as before a first message. */
    async meet(other, preKeyId) {
        await this.lib.parseAndInjectE2ESessions(await other.bundle(preKeyId), this.repository)
        await setImmediate()
    }

    async encrypt(other, message) {
        pass(1_337)
        const data = this.lib.encodeWAMessage(message)
        const sent = await this.repository.encryptMessage({ jid: other.jid, data })
        await setImmediate()
        return { ...sent, data }
    }

    async decrypt(other, { type, ciphertext, data }) {
        pass(411)
        const read = await this.keys.transaction(
            () => this.repository.decryptMessage({ jid: other.jid, type, ciphertext }),
            other.jid
        )
        assert.deepEqual(Buffer.from(read), Buffer.from(data))
        await setImmediate()
    }

    async say(other, text) {
        await other.decrypt(this, await this.encrypt(other, { conversation: text }))
    }

    /** A message to a group: the sender key to those who lack it, then the message itself. */
    async sayInGroup(group, author, others, text) {
        pass(2_003)
        const { lib } = this
        const data = lib.encodeWAMessage({ conversation: text })
        const { ciphertext, senderKeyDistributionMessage } = await this.keys.transaction(
            () => this.repository.encryptGroupMessage({ group, meId: author, data }),
            group
        )
        for (const other of others) {
            await other.hearInGroup(group, author, { ciphertext, senderKeyDistributionMessage, data })
        }
        return { ciphertext, senderKeyDistributionMessage, data }
    }

    async hearInGroup(group, author, { ciphertext, senderKeyDistributionMessage, data }) {
        if (!this.heard?.has(`${group} ${author}`)) {
            this.heard = (this.heard ?? new Set()).add(`${group} ${author}`)
            await this.repository.processSenderKeyDistributionMessage({
                item: {
                    groupId: group,
                    axolotlSenderKeyDistributionMessage: senderKeyDistributionMessage
                },
                authorJid: author
            })
        }
        const read = await this.keys.transaction(
            () => this.repository.decryptGroupMessage({ group, authorJid: author, msg: ciphertext }),
            group
        )
        assert.deepEqual(Buffer.from(read), Buffer.from(data))
    }
}

/** The stanza by which a phone links `creds` to its account, signed with a key made here. */
export function pairing(lib, { creds, jid, lid, platform, name }) {
    const { proto, Curve, hmacSign } = lib
    const phone = Curve.generateKeyPair()
    const details = proto.ADVDeviceIdentity.encode({
        rawId: randomBytes(4).readUInt32BE(0),
        timestamp: Math.floor(clock() / 1000),
        keyIndex: 1
    }).finish()
    const accountSignature = Curve.sign(
        phone.private,
        Buffer.concat([Buffer.from([6, 0]), details, creds.signedIdentityKey.public])
    )
    const identity = proto.ADVSignedDeviceIdentity.encode({
        details,
        accountSignatureKey: phone.public,
        accountSignature
    }).finish()
    const hmac = hmacSign(identity, Buffer.from(creds.advSecretKey, 'base64'))
    const signed = proto.ADVSignedDeviceIdentityHMAC.encode({ details: identity, hmac }).finish()
    const content = [
        { tag: 'device-identity', attrs: {}, content: signed },
        { tag: 'platform', attrs: { name: platform } },
        { tag: 'device', attrs: { jid, ...(lid && { lid }) } },
        { tag: 'biz', attrs: { name } }
    ]
    return { tag: 'iq', attrs: { id: '1' }, content: [{ tag: 'pair-success', attrs: {}, content }] }
}

/** The message by which the phone shares its app-state keys; `ids` are the bytes of their ids. */
export function keyShare(lib, ids) {
    const { Message } = lib.proto
    const share = Message.encode({
        protocolMessage: {
            type: Message.ProtocolMessage.Type.APP_STATE_SYNC_KEY_SHARE,
            appStateSyncKeyShare: {
                keys: ids.map((keyId, index) => ({
                    keyId: { keyId },
                    keyData: {
                        keyData: randomBytes(32),
                        fingerprint: {
                            rawId: randomBytes(4).readUInt32BE(0),
                            currentIndex: index,
                            deviceIndexes: [0, 1]
                        },
                        timestamp: clock()
                    }
                }))
            }
        }
    }).finish()
    return Message.decode(share)
}
