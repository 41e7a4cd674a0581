/**
 * Makes examples/sample_account.json and tests/fixtures/folders with the real Baileys.
 *
 *     node make_accounts.mjs              everything
 *     node make_accounts.mjs sample       one account, named as in accounts.mjs
 *
 * Each account is made in a process of its own (see baileys.mjs).
 */
import { clock, pass, randomBytes, reseed } from './seeded.mjs'
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { ACCOUNTS } from './accounts.mjs'
import { load } from './baileys.mjs'
import { Device, keyShare, logger, pairing } from './people.mjs'

const HERE = dirname(fileURLToPath(import.meta.url))
const SAMPLE = join(HERE, '../../examples/sample_account.json')
const FOLDERS = join(HERE, '../fixtures/folders')
const DAY = 24 * 60 * 60 * 1000
const LID_MAPPING_TTL = 7 * DAY

const phone = number => `55119${String(number).padStart(8, '0')}`
const lidUser = number => `1000000${String(number).padStart(8, '0')}`
const address = (user, server, device) => `${user}${device ? `:${device}` : ''}@${server}`

function phoneJid({ number, hosted }, device) {
    return address(phone(number), hosted ? 'hosted' : 's.whatsapp.net', device)
}

function lidJid({ number, hosted }, device) {
    return address(lidUser(number), hosted ? 'hosted.lid' : 'lid', device)
}

/** The clock as PostgreSQL would note it. */
function microseconds(beyondMilliseconds) {
    return new Date(clock()).toISOString().replace('Z', `${String(beyondMilliseconds).padStart(3, '0')}Z`)
}

/** Keeps what was passed to the store, as the text that the library's own replacer makes of it. */
function recording(store, { replacer }) {
    const rows = new Map()
    let calls = 0
    return {
        rows,
        get: store.get,
        set: async data => {
            const at = microseconds((++calls * 137) % 1000)
            for (const type in data) {
                for (const id in data[type]) {
                    const value = data[type][id]
                    rows.delete(JSON.stringify([type, id]))
                    if (value !== null && value !== undefined) {
                        rows.set(JSON.stringify([type, id]), { type, id, at, text: JSON.stringify(value, replacer) })
                    }
                }
            }
            await store.set(data)
        }
    }
}

async function liveNineDays(lib, account, state, saveCreds) {
    const { creds, keys: store } = state
    const mine = { number: account.me }
    const me = phoneJid(mine, account.device)
    const meLid = lib.major > 6 ? lidJid(mine, account.device) : undefined
    await saveCreds()

    const { creds: paired } = lib.configureSuccessfulPairing(
        pairing(lib, { creds, jid: me, lid: meLid, platform: 'smba', name: account.name }),
        creds
    )
    Object.assign(creds, paired)
    await saveCreds()

    const us = new Device(lib, me, { creds, store })
    pass(4_000)
    await us.addPreKeys(account.preKeys)
    creds.routingInfo = randomBytes(12)
    creds.lastPropHash = randomBytes(3).toString('hex')
    creds.lastAccountSyncTimestamp = Math.floor(clock() / 1000)
    await us.lib.processMessage(
        {
            key: { remoteJid: me, fromMe: true, id: lib.generateMessageID() },
            message: keyShare(lib, account.appStateKeys.map(hex => Buffer.from(hex, 'hex'))),
            messageTimestamp: Math.floor(clock() / 1000)
        },
        { ...us, ev: us.ev, keyStore: us.keys, signalRepository: us.repository, logger, options: {} }
    )
    creds.processedHistoryMessages = Array.from({ length: account.history }, (_, index) => ({
        key: { remoteJid: address(phone(account.me), 's.whatsapp.net'), fromMe: true, id: lib.generateMessageID() },
        messageTimestamp: Math.floor(clock() / 1000) + index
    }))
    creds.accountSyncCounter = 1
    await saveCreds()

    await learnLids(us, account, meLid)
    const people = await meetContacts(us, account)
    if (account.morePreKeys) {
        await us.addPreKeys(account.morePreKeys)
    }
    await talkInGroups(us, account, people, meLid)
    await syncAppState(us, account)
    await trustContacts(us, account)
    pass(DAY / 2)
    await saveCreds()
    us.repository.close?.()
}

/** LID mappings as they come in, a few a day, and our own as the socket stores it when it opens. */
async function learnLids(us, account, meLid) {
    const { lidMapping } = us.repository
    if (!lidMapping) {
        return
    }
    const numbers = [account.me, ...account.contacts.filter(({ lid }) => lid).map(({ number }) => number)]
    for (let next = account.me + 200; new Set(numbers).size < account.lidPairs; next++) {
        numbers.push(next)
    }
    await lidMapping.storeLIDPNMappings([{ lid: meLid, pn: us.jid }])
    const pairs = [...new Set(numbers)]
        .slice(1)
        .map(number => ({ lid: address(lidUser(number), 'lid'), pn: address(phone(number), 's.whatsapp.net') }))
    for (let day = 0; day < 6; day++) {
        pass(DAY)
        await lidMapping.storeLIDPNMappings(pairs.filter((_, index) => index % 6 === day))
    }
}

/** Real sessions with every device of every contact. */
async function meetContacts(us, account) {
    const { lib } = us
    const people = new Map()
    let nextPreKey = 1
    const listed = {}
    for (const contact of account.contacts) {
        pass(DAY / 20)
        for (const device of contact.devices) {
            // version 6 uses the LID as it arrives, version 7 finds it by the phone number
            const jid = contact.lid && lib.major < 7 ? lidJid(contact, device) : phoneJid(contact, device)
            const them = new Device(lib, jid)
            await them.addPreKeys(2)
            people.set(jid, { contact, device, them })
            if (contact.first === 'us') {
                await us.meet(them, 1)
                const sent = await us.encrypt(them, { conversation: 'Bom dia' })
                if (contact.turns) {
                    await them.decrypt(us, sent)
                }
            } else {
                const preKey = contact.takesPreKey === false ? undefined : nextPreKey++
                await them.meet(us, preKey)
                await them.say(us, 'Bom dia')
            }
            for (let turn = 0; turn < contact.turns; turn++) {
                await them.say(us, `pergunta ${turn}`)
                await us.say(them, `resposta ${turn}`)
            }
            for (let lost = 0; lost < (contact.skipped ?? 0); lost++) {
                await them.encrypt(us, { conversation: `perdida ${lost}` })
            }
            if (contact.skipped) {
                await them.say(us, 'recebeu?')
            }
            if (contact.renewed) {
                const again = new Device(lib, jid, { creds: them.creds })
                await again.meet(us)
                await again.say(us, 'troquei de aparelho')
                await us.say(again, 'certo')
            }
        }
        const user = contact.lid && lib.major < 7 ? lidUser(contact.number) : phone(contact.number)
        listed[user] = contact.devices.map(device => device.toString() || '0')
    }
    if (lib.major > 6) {
        pass(60_000)
        await us.keys.set({ 'device-list': listed })
    }
    return [...people.values()]
}

async function talkInGroups(us, account, people, meLid) {
    const author = meLid ?? us.jid
    for (const { id: group, members, ours, theirs } of account.groups) {
        const present = people.filter(({ contact }) => members.includes(contact.number))
        const named = ({ contact, device }) =>
            contact.lid ? lidJid(contact, device) : phoneJid(contact, device)
        for (let sent = 0; sent < ours; sent++) {
            await us.sayInGroup(group, author, present.map(({ them }) => them), `aviso ${sent}`)
            const { [group]: memory } = await us.keys.get('sender-key-memory', [group])
            const reached = present.filter(({ contact }) => !contact.hosted).map(person => [named(person), true])
            await us.keys.set({ 'sender-key-memory': { [group]: { ...memory, ...Object.fromEntries(reached) } } })
        }
        for (const person of present) {
            for (let sent = 0; sent < theirs; sent++) {
                await person.them.sayInGroup(group, named(person), [us], `recado ${sent}`)
            }
        }
        // one that overtakes the message before it leaves a message key behind
        const [person] = present
        await person.them.sayInGroup(group, named(person), [], 'perdida')
        await person.them.sayInGroup(group, named(person), [us], 'depois')
    }
}

/** App-state collections as they grow by our own changes. */
async function syncAppState(us, account) {
    const { lib, keys, creds } = us
    const keyOf = async id => (await keys.get('app-state-sync-key', [id]))[id]
    const chat = address(phone(account.contacts[0].number), 's.whatsapp.net')
    const changes = [
        [{ pushNameSetting: 'Exemplo' }, ''],
        [{ contact: { fullName: 'Cliente Exemplo', firstName: 'Cliente' } }, chat],
        [{ mute: clock() + DAY }, chat],
        [{ pin: true }, chat],
        [{ quickReply: { timestamp: '1', shortcut: '/oi', message: 'Bom dia' } }, chat]
    ]
    for (const [change, jid] of changes) {
        let patch
        try {
            patch = lib.chatModificationToAppPatch(change, jid)
        } catch {
            continue // older versions know fewer changes
        }
        const { type } = patch
        for (let turn = 0; turn < account.appStateVersions; turn++) {
            pass(30_000)
            const { [type]: before } = await keys.get('app-state-sync-version', [type])
            const index = [...patch.index, ...(turn ? [String(turn)] : [])]
            const { state } = await lib.encodeSyncdPatch(
                { ...patch, index },
                creds.myAppStateKeyId,
                before ?? lib.newLTHashState(),
                keyOf
            )
            await keys.set({ 'app-state-sync-version': { [type]: state } })
        }
    }
}

/** Privacy tokens with their index: fresh ones, one that we have answered, one that has lapsed. */
async function trustContacts(us, account) {
    const { lib, keys, repository } = us
    if (!lib.storeTcTokensFromIqResult) {
        return
    }
    const getLIDForPN = repository.lidMapping.getLIDForPN.bind(repository.lidMapping)
    const contacts = account.contacts.filter(({ number, hosted }) => number !== account.me && !hosted).slice(0, 8)
    for (const [index, { number }] of contacts.entries()) {
        pass(1_000)
        const jid = address(phone(number), 's.whatsapp.net')
        const seconds = Math.floor(clock() / 1000)
        const lapsed = index === 1
        const received = lapsed ? seconds - 90 * 24 * 60 * 60 : seconds
        const token = {
            tag: 'token',
            attrs: { type: 'trusted_contact', jid, t: String(received) },
            content: randomBytes(24)
        }
        const added = []
        await lib.storeTcTokensFromIqResult({
            result: { tag: 'iq', attrs: {}, content: [{ tag: 'tokens', attrs: {}, content: [token] }] },
            fallbackJid: jid,
            keys,
            getLIDForPN,
            onNewJidStored: stored => added.push(stored)
        })
        await keys.set({ tctoken: await lib.buildMergedTcTokenIndexWrite(keys, added) })
        const [stored] = added
        if (index < 3) {
            const { [stored]: entry } = await keys.get('tctoken', [stored])
            await keys.set({ tctoken: { [stored]: { ...entry, senderTimestamp: seconds } } })
        }
        if (lapsed) {
            await lib.buildTcTokenFromJid({ authState: us, jid, getLIDForPN })
        }
    }
}

/** The name that the library gives a key, seen rather than computed. */
async function fileNameOf(lib, type, id) {
    const folder = await mkdtemp(join(tmpdir(), 'name-'))
    const { state } = await lib.useMultiFileAuthState(folder)
    await state.keys.set({ [type]: { [id]: { seen: true } } })
    const [name, ...others] = await readdir(folder)
    assert.equal(others.length, 0)
    await rm(folder, { recursive: true })
    return name
}

async function makeFolder(name, folder) {
    const account = ACCOUNTS[name]
    const lib = await load(account.version)
    reseed(name)
    await rm(folder, { recursive: true, force: true })
    const { state, saveCreds } = await lib.useMultiFileAuthState(folder)
    const store = recording(state.keys, lib.BufferJSON)
    await liveNineDays(lib, account, { creds: state.creds, keys: store }, saveCreds)
    const rows = [...store.rows.values()].sort(byTypeAndId)
    for (const row of rows) {
        row.file = await fileNameOf(lib, row.type, row.id)
        row.value = JSON.parse(row.text)
        assert.equal(await readFile(join(folder, row.file), 'utf8'), row.text, row.file)
        await utimes(join(folder, row.file), new Date(row.at), new Date(row.at))
    }
    const files = (await readdir(folder)).filter(file => file !== 'creds.json')
    assert.deepEqual(files.sort(), rows.map(({ file }) => file).sort(), 'each key has a file of its own')
    const creds = JSON.parse(await readFile(join(folder, 'creds.json'), 'utf8'))
    const credsAt = microseconds(42)
    await utimes(join(folder, 'creds.json'), new Date(credsAt), new Date(credsAt))
    await readsBackTheSame(lib, folder, creds, rows)
    return { lib, creds, credsAt, rows }
}

async function readsBackTheSame(lib, folder, creds, rows) {
    const { state } = await lib.useMultiFileAuthState(folder)
    const plain = value => JSON.parse(JSON.stringify(value, lib.BufferJSON.replacer))
    assert.deepEqual(plain(state.creds), creds)
    for (const { type, id, value, file } of rows) {
        const { [id]: read } = await state.keys.get(type, [id])
        assert.deepEqual(plain(read), value, file)
    }
}

function byTypeAndId(left, right) {
    const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0)
    return order(left.type, right.type) || order(left.id.length, right.id.length) || order(left.id, right.id)
}

/** JSON with one key per line, so that a difference can be read. */
function lines(object, depth) {
    const pad = ' '.repeat(depth)
    return `{\n${Object.entries(object)
        .map(([key, text]) => `${pad}${JSON.stringify(key)}:${text}`)
        .join(',\n')}\n${pad.slice(1)}}`
}

function grouped(rows, text) {
    const types = {}
    for (const row of rows) {
        types[row.type] = { ...types[row.type], [row.id]: text(row) }
    }
    return Object.fromEntries(Object.entries(types).map(([type, ids]) => [type, lines(ids, 3)]))
}

async function makeSample() {
    const folder = await mkdtemp(join(tmpdir(), 'sample-'))
    const { creds, credsAt, rows } = await makeFolder('sample', folder)
    await rm(folder, { recursive: true })
    const expiry = ({ type, at }) =>
        type === 'lid-mapping'
            ? new Date(Date.parse(at) + LID_MAPPING_TTL).toISOString().slice(0, -1) + at.slice(-4)
            : null
    await writeFile(
        SAMPLE,
        lines(
            {
                format: 1,
                creds: JSON.stringify(creds),
                creds_updated_at: JSON.stringify(credsAt),
                keys: lines(grouped(rows, ({ text }) => text), 2),
                times: lines(grouped(rows, row => JSON.stringify([row.at, expiry(row)])), 2)
            },
            1
        ) + '\n'
    )
    return rows
}

async function makeFixture(name) {
    const { folder } = ACCOUNTS[name]
    const path = join(FOLDERS, folder, name)
    await mkdir(path, { recursive: true })
    const { lib, creds, credsAt, rows } = await makeFolder(name, path)
    const made = { creds, rows: rows.map(({ value }) => value) }
    const { oldBuffers } = ACCOUNTS[name]
    const stands = oldBuffers ? await rewriteBuffers(path, credsAt, rows) : made
    const current = oldBuffers ? made : readByCurrentVersion(path, rows)
    const differing = (value, now) => (isDeepStrictEqual(value, now) ? {} : { current: now })
    const keys = rows.map(({ file, type, id, at }, index) => {
        const value = stands.rows[index]
        return JSON.stringify({ file, type, id, at, value, ...differing(value, current.rows[index]) })
    })
    const { current: currentCreds } = differing(stands.creds, current.creds)
    await writeFile(
        join(FOLDERS, folder, `${name}.expected.json`),
        lines(
            {
                made_by: JSON.stringify(`baileys@${lib.version}`),
                company: JSON.stringify(name),
                creds: JSON.stringify(stands.creds),
                ...(currentCreds && { creds_current: JSON.stringify(currentCreds) }),
                creds_at: JSON.stringify(credsAt),
                keys: `[\n  ${keys.join(',\n  ')}\n ]`
            },
            1
        ) + '\n'
    )
    return rows
}

/** Puts every Buffer of the folder into one of the older forms, and sees that version 6 reads them all. */
async function rewriteBuffers(folder, credsAt, rows) {
    const bytes = data => [...Buffer.from(data, 'base64')]
    const forms = [
        data => ({ type: 'Buffer', data: bytes(data) }),
        data => ({ buffer: true, data }),
        data => ({ buffer: true, data: bytes(data) })
    ]
    let next = 0
    const old = value => {
        if (typeof value !== 'object' || value === null) {
            return value
        }
        if (value.type === 'Buffer') {
            return forms[next++ % forms.length](value.data)
        }
        const entries = Object.entries(value).map(([key, inner]) => [key, old(inner)])
        return Array.isArray(value) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries)
    }
    const rewrite = async (file, at, value) => {
        const path = join(folder, file)
        await writeFile(path, JSON.stringify(value))
        await utimes(path, new Date(at), new Date(at))
        return value
    }
    const creds = JSON.parse(await readFile(join(folder, 'creds.json'), 'utf8'))
    const stands = { creds: await rewrite('creds.json', credsAt, old(creds)), rows: [] }
    for (const { file, at, value } of rows) {
        stands.rows.push(await rewrite(file, at, old(value)))
    }
    await readsBackTheSame(await load(6), folder, creds, rows)
    return stands
}

/** What the newest version makes of files that an older one wrote. */
function readByCurrentVersion(folder, rows) {
    const asked = {}
    for (const { type, id } of rows) {
        ;(asked[type] ??= []).push(id)
    }
    const { status, stdout } = spawnSync(process.execPath, [join(HERE, 'read_folder.mjs'), folder], {
        input: JSON.stringify(asked),
        stdio: ['pipe', 'pipe', 'inherit'],
        maxBuffer: 1 << 28
    })
    assert.equal(status, 0)
    const read = JSON.parse(stdout)
    return { creds: read.creds, rows: rows.map(({ type, id }) => read.keys[type][id]) }
}

const [only] = process.argv.slice(2)
if (!only) {
    for (const name of Object.keys(ACCOUNTS)) {
        const { status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), name], { stdio: 'inherit' })
        assert.equal(status, 0, name)
    }
} else {
    assert.ok(ACCOUNTS[only], `no account ${only}; there are ${Object.keys(ACCOUNTS).join(', ')}`)
    const say = console.log
    console.log = console.info = console.warn = console.error = () => {} // libsignal prints whole sessions
    const rows = await (only === 'sample' ? makeSample() : makeFixture(only)).catch(error => {
        process.stderr.write(`${error.stack}\n`)
        process.exit(1)
    })
    const counts = {}
    for (const { type } of rows) {
        counts[type] = (counts[type] ?? 0) + 1
    }
    say(only, rows.length, JSON.stringify(counts))
    process.exit() // the library's caches hold timers of three days
}
