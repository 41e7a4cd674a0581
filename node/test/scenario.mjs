/**
 * Two accounts live through the library's own session code, and lose their memory between any two steps: first over
 * the files of useMultiFileAuthState, then over the database. Randomness and clock are seeded for each step, so that
 * after every step both must hold the same, value for value, and say the same on the wire.
 */
import { clock, pass, randomBytes, reseed } from '../../tests/baileys/seeded.mjs' // before any Baileys
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import pg from 'pg'
import { load } from '../../tests/baileys/baileys.mjs'
import { Device, keyShare, logger, pairing } from '../../tests/baileys/people.mjs'
import { useDatabaseAuthState } from '../src/index.js'
import { opened } from './jwe.mjs'
import { libsignal, pool, SERVICE, SUPERUSER } from './library.mjs'

console.log = console.info = console.warn = console.error = () => {} // libsignal prints whole sessions

const GROUP = '5511900000011-1600000011@g.us'
const PEOPLE = {
    ana: { pn: '5511900000011:4@s.whatsapp.net', lid: '100000000000011:4@lid', name: 'Ana' },
    rui: { pn: '5511900000012@s.whatsapp.net', lid: '100000000000012@lid', name: 'Rui nul:\0 half:\ud83d' }
}
const EVA = '5511900000013:2@s.whatsapp.net'
const user = jid => jid.split(/[:@]/)[0]

/** One account after a start: nothing of it but what the store gave. */
async function started(lib, store, name) {
    const { state, saveCreds, close } = await store.open(name)
    const saves = []
    const keys = {
        ...state.keys,
        set: data => {
            store.noted(data)
            return state.keys.set(data)
        }
    }
    const device = new Device(lib, PEOPLE[name].pn, { creds: state.creds, store: keys })
    device.ev = {
        emit: (event, update) => {
            if (event === 'creds.update') {
                Object.assign(state.creds, update)
                saves.push(saveCreds()) // the library does not await it
            }
        }
    }
    device.me = PEOPLE[name]
    device.stop = async () => {
        await Promise.all(saves)
        device.repository.close?.()
        await close()
    }
    return device
}

async function write(from, jid, text) {
    pass(1_337)
    const data = from.lib.encodeWAMessage({ conversation: text })
    return { data, ...await from.keys.transaction(() => from.repository.encryptMessage({ jid, data }), from.jid) }
}

async function read(to, jid, { data, type, ciphertext }) {
    pass(411)
    const heard = await to.keys.transaction(() => to.repository.decryptMessage({ jid, type, ciphertext }), jid)
    assert.deepEqual(Buffer.from(heard), data)
}

/** A message to the group, with the sender key for whoever is not known to have it. */
async function writeInGroup(from, author, other, text) {
    pass(2_003)
    const data = from.lib.encodeWAMessage({ conversation: text })
    return from.keys.transaction(async () => {
        const { ciphertext, senderKeyDistributionMessage } =
            await from.repository.encryptGroupMessage({ group: GROUP, meId: author, data })
        const { [GROUP]: memory } = await from.keys.get('sender-key-memory', [GROUP])
        await from.keys.set({ 'sender-key-memory': { [GROUP]: { ...memory, [other]: true } } })
        return { data, ciphertext, ...(!memory?.[other] && { senderKeyDistributionMessage }) }
    }, from.jid)
}

async function readInGroup(to, author, { data, ciphertext, senderKeyDistributionMessage }) {
    if (senderKeyDistributionMessage) {
        await to.repository.processSenderKeyDistributionMessage({
            item: { groupId: GROUP, axolotlSenderKeyDistributionMessage: senderKeyDistributionMessage },
            authorJid: author
        })
    }
    const heard = await to.keys.transaction(
        () => to.repository.decryptGroupMessage({ group: GROUP, authorJid: author, msg: ciphertext }), GROUP)
    assert.deepEqual(Buffer.from(heard), data)
}

const first = async (us, type, id) => (await us.keys.get(type, [id]))[id] ?? null

/** As the socket does: the creds change inside the transaction, before it commits. */
function addPreKeys(us, count) {
    return us.keys.transaction(async () => {
        const { update } = await us.lib.getNextPreKeys(us, count)
        us.ev.emit('creds.update', update)
    }, us.jid)
}

/** What happens, in order. `wire` is what was sent and has not arrived yet; it outlives a restart, as the server does. */
function* life(lib, wire) {
    const seven = lib.major > 6
    const one = (text, by, to) => [
        [`${by} writes ${text}`, async people => { wire[text] = await write(people[by], PEOPLE[to].pn, text) }],
        [`${to} reads ${text}`, async people => { await read(people[to], PEOPLE[by].pn, wire[text]) }]
    ]
    const oneInGroup = (text, by, to) => [
        [`${by} writes ${text} in the group`, async people => {
            wire[text] = await writeInGroup(people[by], PEOPLE[by].pn, PEOPLE[to].pn, text)
        }],
        [`${to} reads ${text} in the group`, async people => {
            await readInGroup(people[to], PEOPLE[by].pn, wire[text])
        }]
    ]

    yield ['the accounts are new', async ({ ana, rui }) => {
        ana.ev.emit('creds.update', {})
        rui.ev.emit('creds.update', {})
    }]
    yield ['they are linked to their phones', async ({ ana, rui, lib }) => {
        for (const us of [ana, rui]) {
            const stanza = pairing(lib, {
                creds: us.creds, jid: us.me.pn, lid: seven ? us.me.lid : undefined, platform: 'smba', name: us.me.name
            })
            us.ev.emit('creds.update', lib.configureSuccessfulPairing(stanza, us.creds).creds)
        }
    }]
    yield ['they make pre-keys', async ({ ana, rui }) => {
        await addPreKeys(ana, 5)
        await addPreKeys(rui, 6)
    }]
    yield ['the phone shares app-state keys', async ({ ana, lib }) => {
        await lib.processMessage(
            {
                key: { remoteJid: ana.jid, fromMe: true, id: lib.generateMessageID() },
                message: keyShare(lib, ['000000004e5f', 'ffffff', 'fbef'].map(hex => Buffer.from(hex, 'hex'))),
                messageTimestamp: Math.floor(clock() / 1000)
            },
            { ...ana, ev: ana.ev, keyStore: ana.keys, signalRepository: ana.repository, logger, options: {} }
        )
        assert.equal((await first(ana, 'app-state-sync-key', ana.creds.myAppStateKeyId)).keyData.length, 32)
    }]
    if (seven) {
        yield ['they learn of their devices', async ({ ana, rui }) => {
            await ana.keys.set({ 'device-list': { [user(rui.jid)]: ['0'], [user(ana.jid)]: ['0', '4'] } })
            await rui.keys.set({ 'device-list': { [user(ana.jid)]: ['0', '4'] } })
        }]
    }

    yield ['ana opens a session', async ({ ana, rui }) => { await ana.meet(rui, 1) }]
    yield* one('the first message', 'ana', 'rui')
    yield ['the pre-key is used up', async ({ rui }) => {
        assert.equal(await first(rui, 'pre-key', '1'), null)
        assert.notEqual(await first(rui, 'pre-key', '2'), null)
    }]
    yield* one('the first answer', 'rui', 'ana')
    for (let turn = 1; turn <= 3; turn++) {
        yield* one(`question ${turn}`, 'ana', 'rui')
        yield* one(`answer ${turn}`, 'rui', 'ana')
    }

    const [writes, reads] = [0, 1].map(which => ['x', 'y', 'z'].map(text => one(text, 'ana', 'rui')[which]))
    yield* writes
    yield* [reads[2], reads[0], reads[1]] // the last arrives first

    yield ['ana renews the session', async ({ ana, rui }) => { await ana.meet(rui, 2) }]
    yield* one('a message of the new session', 'ana', 'rui')
    yield ['another pre-key is used up', async ({ rui }) => { assert.equal(await first(rui, 'pre-key', '2'), null) }]
    yield* one('an answer in the new session', 'rui', 'ana')
    yield ['rui makes more pre-keys', async ({ rui }) => { await addPreKeys(rui, 7) }]

    yield* oneInGroup('hello', 'ana', 'rui')
    yield* oneInGroup('welcome', 'rui', 'ana')
    yield* oneInGroup('news', 'ana', 'rui')
    const [[writesP, readsP], [writesQ, readsQ]] = ['p', 'q'].map(text => oneInGroup(text, 'ana', 'rui'))
    yield* [writesP, writesQ, readsQ]
    // Over any store: after a restart these versions cannot use the key of a message that was overtaken.
    yield lib.version === '6.7.24' ? readsP : ['rui cannot read p', people => assert.rejects(readsP[1](people))]
    yield ['somebody leaves the group', async ({ ana }) => {
        const id = `${GROUP}::${user(ana.jid)}::4`
        assert.notEqual(await first(ana, 'sender-key', id), null)
        await ana.keys.set({ 'sender-key': { [id]: null }, 'sender-key-memory': { [GROUP]: null } })
    }]
    yield* oneInGroup('a message with the new sender key', 'ana', 'rui')

    if (seven) {
        yield* afterSix(wire)
    }

    yield ['eva writes for the first time', async ({ ana, lib }) => {
        wire.eva = new Device(lib, EVA)
        await wire.eva.meet(ana, 3)
        wire.fromEva = await write(wire.eva, ana.me.pn, 'hello')
    }]
    yield ['ana reads eva', async ({ ana }) => {
        await read(ana, EVA, wire.fromEva)
        assert.equal(await first(ana, 'pre-key', '3'), null)
    }]
    yield ['eva has a new phone', async ({ ana, lib }) => {
        wire.eva = new Device(lib, EVA)
        await wire.eva.meet(ana, 4)
        wire.fromEva = await write(wire.eva, ana.me.pn, 'it is me')
    }]
    yield ['ana reads eva on her new phone', async ({ ana }) => { await read(ana, EVA, wire.fromEva) }]
    yield ['ana answers eva', async ({ ana }) => { await read(wire.eva, ana.me.pn, await write(ana, EVA, 'is it?')) }]
    if (seven) {
        yield ['ana forgets eva', async ({ ana }) => {
            await ana.repository.deleteSession([EVA])
            assert.equal((await ana.repository.validateSession(EVA)).exists, false)
        }]
    }

    yield* appState()
    yield ['the signed pre-key is changed, and history comes', async ({ ana, lib }) => {
        const { creds } = ana
        const signedPreKey = lib.signedKeyPair(creds.signedIdentityKey, creds.signedPreKey.keyId + 1)
        ana.ev.emit('creds.update', { signedPreKey })
        for (let message = 0; message < 20; message++) {
            const key = { remoteJid: PEOPLE.rui.pn, fromMe: true, id: lib.generateMessageID() }
            ana.ev.emit('creds.update', {
                processedHistoryMessages: [...creds.processedHistoryMessages, { key, messageTimestamp: message }],
                accountSyncCounter: message,
                routingInfo: randomBytes(12)
            })
        }
    }]
    yield* one('the last question', 'ana', 'rui')
    yield* one('the last answer', 'rui', 'ana')
}

/** From the phone number to the LID, and privacy tokens. */
function* afterSix(wire) {
    yield ['they learn the LIDs', async ({ ana, rui }) => {
        const pairs = [ana, rui].map(({ me }) => ({ lid: me.lid, pn: me.pn }))
        await ana.repository.lidMapping.storeLIDPNMappings(pairs)
        await rui.repository.lidMapping.storeLIDPNMappings(pairs)
    }]
    yield ['the sessions move', async ({ ana, rui }) => {
        assert.equal((await ana.repository.migrateSession(rui.me.pn, rui.me.lid)).migrated, 1)
        assert.equal((await rui.repository.migrateSession(ana.me.pn, ana.me.lid)).migrated, 1)
        assert.equal(await first(ana, 'session', `${user(rui.me.pn)}.0`), null)
        assert.equal(await ana.repository.lidMapping.getLIDForPN(rui.me.pn), rui.me.lid)
    }]
    yield ['ana writes to the LID', async ({ ana, rui }) => { wire.toLid = await write(ana, rui.me.lid, 'to the LID') }]
    yield ['rui reads what comes from the LID', async ({ ana, rui }) => { await read(rui, ana.me.lid, wire.toLid) }]
    yield ['rui writes to the phone number', async ({ ana, rui }) => { wire.toPn = await write(rui, ana.me.pn, 'to the number') }]
    yield ['ana reads what comes from the LID', async ({ ana, rui }) => {
        await read(ana, rui.me.lid, wire.toPn)
        assert.equal(await ana.repository.lidMapping.getPNForLID(rui.me.lid), '5511900000012:0@s.whatsapp.net')
    }]
    const token = (us, jid, age) => {
        const seconds = Math.floor(clock() / 1000) - age
        const node = { tag: 'token', attrs: { type: 'trusted_contact', jid, t: String(seconds) }, content: randomBytes(24) }
        return us.lib.storeTcTokensFromIqResult({
            result: { tag: 'iq', attrs: {}, content: [{ tag: 'tokens', attrs: {}, content: [node] }] },
            fallbackJid: jid,
            keys: us.keys,
            getLIDForPN: us.repository.lidMapping.getLIDForPN.bind(us.repository.lidMapping),
            onNewJidStored: stored => us.tokens.push(stored)
        })
    }
    yield ['privacy tokens come', async ({ ana, rui }) => {
        ana.tokens = []
        await token(ana, rui.me.pn, 0)
        await token(ana, '5511900000014@s.whatsapp.net', 90 * 24 * 60 * 60)
        await ana.keys.set({ tctoken: await ana.lib.buildMergedTcTokenIndexWrite(ana.keys, ana.tokens) })
    }]
    yield ['a privacy token has lapsed', async ({ ana }) => {
        const getLIDForPN = ana.repository.lidMapping.getLIDForPN.bind(ana.repository.lidMapping)
        const build = jid => ana.lib.buildTcTokenFromJid({ authState: ana, jid, getLIDForPN })
        assert.equal((await build(PEOPLE.rui.pn)).length, 1)
        assert.equal(await build('5511900000014@s.whatsapp.net'), undefined)
    }]
}

/** App-state collections as they grow by our own changes. */
function* appState() {
    const changes = [
        [{ pushNameSetting: 'Ana' }, ''],
        [{ mute: 1_900_000_000_000 }, PEOPLE.rui.pn],
        [{ pin: true }, PEOPLE.rui.pn],
        [{ pin: false }, PEOPLE.rui.pn]
    ]
    for (const [change, jid] of changes) {
        yield [`ana changes ${JSON.stringify(change)}`, async ({ ana, lib }) => {
            const patch = lib.chatModificationToAppPatch(change, jid)
            const before = await first(ana, 'app-state-sync-version', patch.type)
            const { state } = await lib.encodeSyncdPatch(
                patch, ana.creds.myAppStateKeyId, before ?? lib.newLTHashState(), id => first(ana, 'app-state-sync-key', id))
            await ana.keys.set({ 'app-state-sync-version': { [patch.type]: state } })
        }]
    }
}

/** Keeps which keys there ever were. */
class Store {
    seen = new Map()

    noted(data) {
        for (const type in data) {
            for (const id in data[type]) {
                this.seen.set(`${type}-${id}.json`.replaceAll('/', '__').replaceAll(':', '-'), [type, id])
            }
        }
    }

    /** Every key there ever was, as the library gets it after a restart, and the creds. */
    async reads(name) {
        const { state, close } = await this.open(name)
        const found = {}
        const seen = [...this.seen.values()]
        for (const type of new Set(seen.map(([each]) => each))) {
            const ids = seen.filter(([each]) => each === type).map(([, id]) => id)
            for (const [id, value] of Object.entries(await state.keys.get(type, ids))) {
                found[`${type} ${id}`] = value
            }
        }
        await close()
        return { creds: state.creds, keys: found }
    }
}

class Files extends Store {
    constructor(lib, folder) {
        super()
        this.lib = lib
        this.folder = folder
    }

    async open(name) {
        return { ...await this.lib.useMultiFileAuthState(join(this.folder, name)), close: async () => {} }
    }

    async holds(name) {
        const folder = join(this.folder, name)
        const parsed = async file => JSON.parse(await readFile(join(folder, file), 'utf8'))
        const keys = {}
        for (const file of (await readdir(folder)).filter(each => each !== 'creds.json')) {
            const [type, id] = this.seen.get(file)
            keys[`${type} ${id}`] = await parsed(file)
        }
        return { creds: await parsed('creds.json'), keys }
    }
}

export class Database extends Store {
    /** `holder`: of the lease that is asked for, if any; `crash`: whether it stops without giving its lease back. */
    constructor(lib, superuser, prefix, { holder = () => undefined, crash = () => false, encryption } = {}) {
        super()
        Object.assign(this, { lib, superuser, prefix, holder, crash, encryption })
    }

    async open(name) {
        const connections = new pg.Pool({ connectionString: SERVICE, max: 2 })
        const holder = this.holder()
        const options = { baileys: this.lib, libsignal, encryption: this.encryption, lease: holder && { holder } }
        const { state, saveCreds, close } = await useDatabaseAuthState(connections, this.prefix + name, options)
        return {
            state,
            saveCreds,
            close: async () => {
                if (!this.crash()) {
                    await close()
                }
                await connections.end()
            }
        }
    }

    /** Of jsonb, past our own client; a string that jsonb refuses is carried as tests/vectors say. */
    async holds(name) {
        const company = this.prefix + name
        const one = await this.superuser.query('select creds::text from whatsapp_auth where company_id = $1', [company])
        const all = await this.superuser.query(
            `select key_type || ' ' || key_id as key, value::text from whatsapp_keys where company_id = $1`, [company])
        const parsed = text => JSON.parse(this.encryption ? opened(JSON.parse(text)).text : text, (_, value) =>
            value?.type === 'Utf16' ? Buffer.from(value.data, 'base64').toString('utf16le') : value)
        return {
            creds: parsed(one.rows[0].creds),
            keys: Object.fromEntries(all.rows.map(({ key, value }) => [key, parsed(value)]))
        }
    }
}

/** Lives once; after every step, `compare` is given what there is. */
async function live(lib, store, each) {
    const wire = {}
    let step = 0
    for (const [what, happens] of life(lib, wire)) {
        const at = new Date(Date.UTC(2026, 10, 14, 9, ++step)).toISOString()
        await each(what, async () => {
            const people = { lib }
            for (const name in PEOPLE) {
                reseed(`start ${step} ${name}`, at)
                people[name] = await started(lib, store, name)
            }
            reseed(`step ${step}`, at)
            await happens(people)
            await people.ana.stop()
            await people.rui.stop()
            const { eva, ...sent } = wire
            const after = { 'the wire': { keys: structuredClone(sent) } }
            for (const name in PEOPLE) {
                after[`${name} is stored`] = await store.holds(name)
                after[`${name} is read`] = await store.reads(name)
            }
            return after
        })
    }
}

/** Nothing more, nothing less, and every value equal. */
function same(actual, expected) {
    for (const what in expected) {
        const [have, want] = [actual[what], expected[what]]
        assert.deepEqual(have.creds, want.creds, `${what}: creds`)
        assert.deepEqual(Object.keys(have.keys).sort(), Object.keys(want.keys).sort(), `${what}: which keys`)
        for (const key in want.keys) {
            assert.deepEqual(have.keys[key], want.keys[key], `${what}: ${key}`)
        }
    }
    assert.deepEqual(Object.keys(actual), Object.keys(expected))
}

const TYPES = {
    6: ['app-state-sync-key', 'app-state-sync-version', 'pre-key', 'sender-key', 'sender-key-memory', 'session'],
    7: ['app-state-sync-key', 'app-state-sync-version', 'device-list', 'identity-key', 'lid-mapping', 'pre-key',
        'sender-key', 'sender-key-memory', 'session', 'tctoken']
}

const overTheDatabase = (lib, superuser) => {
    let crashes = 0
    return {
        'over the database': new Database(lib, superuser, 'plain-'),
        'over the database, from memory under a lease that every third end leaves behind':
            new Database(lib, superuser, 'leased-', { holder: () => 'one', crash: () => crashes++ % 3 === 0 })
    }
}

/**
 * The tests, for one version of Baileys: all of them share one root of protobufjs, so one version per process.
 * Gives what there was over files after each step, once the tests have run.
 */
export async function testSessions(version, storesOf = overTheDatabase) {
    const lib = await load(version)
    const superuser = pool({ connectionString: SUPERUSER })
    const folder = await mkdtemp(join(tmpdir(), 'sessions-'))
    test.after(() => rm(folder, { recursive: true }))
    const files = new Files(lib, folder)
    const states = []

    test(`Baileys ${lib.version} lives over files`, async () => {
        await live(lib, files, async (_, run) => states.push(await run()))
        const types = [...files.seen.values()].map(([type]) => type)
        assert.deepEqual([...new Set(types)].sort(), TYPES[lib.major])
    })

    for (const [how, store] of Object.entries(storesOf(lib, superuser))) {
        test(`Baileys ${lib.version} lives the same ${how}`, async t => {
            let step = 0
            await live(lib, store, (what, run) => t.test(`after each start: ${what}`, async () => {
                same(await run(), states[step++])
            }))
            assert.equal(step, states.length)
            assert.deepEqual(store.seen, files.seen)
        })
    }
    return { states, lib, files }
}
