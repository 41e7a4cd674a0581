/**
 * The messages of many accounts at once, in the proportion below, as Baileys 7 turns them into calls without its
 * cache: an account does one after another. Stores take turns; the same accounts do the same in every store.
 */
import { filled, openStores, quick, report, servers } from './stores.js'
import * as values from './values.js'

const ACCOUNTS = [1, 8, 64]
const ROUNDS = quick ? 1 : 6
const ROUND_MS = quick ? 200 : 500
const PEERS = quick ? 2 : 25
const DEVICES = 4 // of a peer
const GROUPS = quick ? 2 : 5
const PRE_KEYS = quick ? 5 : 10

/** What happens, and how often of 100 times. */
const EVENTS = [[40, send], [40, receive], [5, receiveFirst], [15, sendToGroup]]

const group = number => `12036302500000000${number}@g.us`
const sender = number => `${group(number)}::5511900000000::0`

/** An account and its own random numbers, the same in every store. */
class Account {
    constructor(auth, seed) {
        this.keys = auth.state.keys
        this.calls = 0
        this.seed = seed
        this.nextPreKey = 1
        this.nextStranger = 1
    }

    below(limit) {
        this.seed = (Math.imul(this.seed, 1664525) + 1013904223) >>> 0
        return Math.floor(this.seed / 2 ** 32 * limit)
    }

    async get(type, id) {
        this.calls++
        return (await this.keys.get(type, [id]))[id]
    }

    async set(data) {
        this.calls++
        await this.keys.set(data)
    }

    async live(end) {
        while (performance.now() < end) {
            let left = this.below(100)
            const [, event] = EVENTS.find(([share]) => (left -= share) < 0)
            await event(this)
        }
    }
}

async function send(account) {
    const peer = account.below(PEERS)
    const session = {}
    for (let device = 0; device < DEVICES; device++) {
        const id = `${5511900000000 + peer}.${device}`
        session[id] = values.turned(await account.get('session', id))
    }
    await account.set({ session })
}

async function receive(account) {
    const id = `${5511900000000 + account.below(PEERS)}.0`
    await account.set({ session: { [id]: values.turned(await account.get('session', id)) } })
}

async function receiveFirst(account) {
    const id = `${5521900000000 + account.nextStranger++}.0`
    const preKey = `${account.nextPreKey++}`
    await account.get('session', id)
    await account.get('pre-key', preKey)
    await account.get('identity-key', id)
    await account.set({
        session: { [id]: values.session() }, 'identity-key': { [id]: values.identityKey() }, 'pre-key': { [preKey]: null }
    })
    if (account.nextPreKey % 5 === 0) {
        const ids = values.numbers(5).map(number => `${account.nextPreKey + PRE_KEYS - 5 + Number(number)}`)
        await account.set({ 'pre-key': values.each(ids, values.preKey) })
    }
}

async function sendToGroup(account) {
    const number = account.below(GROUPS)
    const memory = await account.get('sender-key-memory', group(number))
    await account.get('sender-key', sender(number))
    await account.set({
        'sender-key': { [sender(number)]: values.senderKey() }, 'sender-key-memory': { [group(number)]: memory }
    })
}

function keys() {
    const peers = Array.from({ length: PEERS }, (_, peer) => peer)
    const groups = Array.from({ length: GROUPS }, (_, number) => number)
    return {
        session: values.each(
            peers.flatMap(peer => Array.from({ length: DEVICES }, (_, device) => `${5511900000000 + peer}.${device}`)), values.session
        ),
        'pre-key': values.each(values.numbers(PRE_KEYS), values.preKey),
        'sender-key': values.each(groups.map(sender), values.senderKey),
        'sender-key-memory': values.each(groups.map(group), () => values.memory(values.devices(30)))
    }
}

const stores = await openStores(servers)
const names = Array.from({ length: Math.max(...ACCOUNTS) }, (_, number) => `mix_${number}`)
const accounts = new Map()
for (const store of stores) {
    const opened = await filled(store, names, keys, values.creds)
    accounts.set(store, opened.map((auth, number) => new Account(auth, number)))
}
for (const count of ACCOUNTS) {
    const perSecond = new Map(stores.map(store => [store, []]))
    for (let round = count === ACCOUNTS[0] ? -1 : 0; round < ROUNDS; round++) {
        for (let turn = 0; turn < stores.length; turn++) {
            const store = stores[(turn + Math.max(round, 0)) % stores.length]
            const living = accounts.get(store).slice(0, count)
            const before = living.reduce((sum, account) => sum + account.calls, 0)
            const started = performance.now()
            await Promise.all(living.map(account => account.live(started + (round < 0 ? ROUND_MS / 3 : ROUND_MS))))
            const seconds = (performance.now() - started) / 1000
            if (round >= 0) { // the first round warms up
                perSecond.get(store).push((living.reduce((sum, account) => sum + account.calls, 0) - before) / seconds)
            }
        }
    }
    for (const [store, values] of perSecond) {
        report(`messages of ${count} account${count > 1 ? 's' : ''}`, store, values, 'calls/s')
    }
}
await Promise.all(stores.map(store => store.close()))
process.exit()
