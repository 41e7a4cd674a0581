/**
 * Three companies in this process talk to the same customer, each over its own account in the database.
 *
 *     SERVICE_URL=… node several_accounts.mjs bound|unbound
 *
 * Prints what was lost, as JSON: {"<what they do>": [what went wrong, …]}. Binding is for the whole process, and so
 * the other way is another process. `hold` makes a company's storage slow at the moment that matters, so that the
 * jobs of all of them meet in libsignal's queue for that customer in the same order every time.
 */
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import pg from 'pg'
import { load } from '../../tests/baileys/baileys.mjs'
import { Device } from '../../tests/baileys/people.mjs'
import { useDatabaseAuthState } from '../src/index.js'
import { libsignal, SERVICE } from './library.mjs'

const say = console.log
console.log = console.info = console.warn = console.error = () => {} // libsignal prints whole sessions

const [mode] = process.argv.slice(2)
const bindSignalJobs = { bound: true, unbound: false }[mode]
const lib = await load(7)
const connections = new pg.Pool({ connectionString: SERVICE, max: 6 })

/** A company that may be held: its next read of a session waits to be let go. */
async function company(name, number) {
    const { state } = await useDatabaseAuthState(connections, `${mode} ${name}`, { baileys: lib, libsignal, bindSignalJobs })
    const sets = []
    let held
    const store = {
        async get(type, ids) {
            const hold = held
            if (hold && type === 'session') {
                held = undefined
                hold.reach()
                await hold.free
            }
            return state.keys.get(type, ids)
        },
        set(data) {
            sets.push(Object.keys(data).sort())
            return state.keys.set(data)
        }
    }
    const device = new Device(lib, `551190000${number}:1@s.whatsapp.net`, { creds: state.creds, store })
    const hold = () => {
        let reach, letGo
        const reached = new Promise(resolve => { reach = resolve })
        const free = new Promise(resolve => { letGo = resolve })
        held = { reach, free }
        return { reached, letGo }
    }
    await device.addPreKeys(3)
    return Object.assign(device, { hold, sets })
}

const encrypt = async (from, to, text) => {
    const data = lib.encodeWAMessage({ conversation: text })
    return { data, ...await from.keys.transaction(() => from.repository.encryptMessage({ jid: to.jid, data }), to.jid) }
}
const decrypt = (to, from, message) => to.keys.transaction(
    () => to.repository.decryptMessage({ jid: from.jid, type: message.type, ciphertext: message.ciphertext }), from.jid)

/** Tells when a job has been queued; changes nothing. */
const jobs = new EventEmitter()
for (const [{ prototype }, name] of [[libsignal.SessionCipher, 'queueJob'], [libsignal.SessionBuilder, 'initOutgoing']]) {
    const original = prototype[name]
    prototype[name] = function (...args) {
        const done = original.apply(this, args)
        jobs.emit('queued')
        return done
    }
}

/**
 * `one` starts the queue with a message. `other`'s job comes next, and takes so long that `one` is done, commits, and
 * queues another job behind it: that one is woken by a queue that was started in a transaction which is over.
 */
async function meetInTheQueue(one, other, customer, otherDoes, oneDoes) {
    const first = one.hold()
    const before = encrypt(one, customer, 'before')
    await first.reached
    const second = other.hold()
    const otherQueues = once(jobs, 'queued')
    const between = otherDoes()
    await otherQueues
    first.letGo()
    const message = await before
    await second.reached
    const oneQueues = once(jobs, 'queued')
    const after = oneDoes()
    await oneQueues
    second.letGo()
    return [message, await between, await after]
}

const lost = {}
async function losing(what, run) {
    const problems = lost[what] = []
    const tried = async (step, happens) => {
        try {
            await happens()
        } catch (error) {
            problems.push(`${step}: ${error.message.split(/\n+/).filter(line => line).join(' ')}`)
        }
    }
    let number = Object.keys(lost).length * 1000
    const customer = new Device(lib, `5511${String(number).padStart(9, '0')}@s.whatsapp.net`)
    await customer.addPreKeys(9)
    const companies = []
    for (const name of ['bakery', 'pharmacy', 'garage']) {
        const each = await company(`${name}: ${what}`, String(++number))
        await each.meet(customer, companies.length + 1)
        await each.say(customer, 'welcome')
        await customer.say(each, 'hello')
        companies.push(each)
    }
    await run(customer, companies, tried)
}

await losing('a message is written', async (customer, [bakery, pharmacy], tried) => {
    const messages = await meetInTheQueue(
        bakery, pharmacy, customer,
        () => encrypt(pharmacy, customer, 'between'),
        () => encrypt(bakery, customer, 'after')
    )
    const last = await encrypt(bakery, customer, 'last')
    for (const [from, message] of [[bakery, messages[0]], [pharmacy, messages[1]], [bakery, messages[2]], [bakery, last]]) {
        await tried('the customer reads', () => decrypt(customer, from, message))
    }
})

await losing('a message is read', async (customer, [bakery, pharmacy], tried) => {
    const question = await encrypt(customer, bakery, 'question')
    await meetInTheQueue(
        bakery, pharmacy, customer,
        () => encrypt(pharmacy, customer, 'between'),
        () => decrypt(bakery, customer, question)
    )
    // What was read must not be readable again.
    await tried('the ratchet has moved', () => assert.rejects(decrypt(bakery, customer, question), /No matching sessions/))
})

await losing('a session is opened', async (customer, [bakery, pharmacy], tried) => {
    const bundle = await customer.bundle(5)
    await meetInTheQueue(
        bakery, pharmacy, customer,
        () => encrypt(pharmacy, customer, 'between'),
        () => lib.parseAndInjectE2ESessions(bundle, bakery.repository)
    )
    const message = await encrypt(bakery, customer, 'in the new session')
    await tried('the session is new', () => assert.equal(message.type, 'pkmsg'))
    await tried('the customer reads', () => decrypt(customer, bakery, message))
})

await losing('a first message is read', async (customer, [bakery, pharmacy], tried) => {
    const again = new Device(lib, customer.jid, { creds: customer.creds })
    await again.meet(pharmacy, 2)
    const first = await encrypt(again, pharmacy, 'I am back')
    pharmacy.sets.length = 0
    await meetInTheQueue(
        bakery, pharmacy, customer,
        () => decrypt(pharmacy, customer, first),
        () => encrypt(bakery, customer, 'after')
    )
    // One transaction, one set: after a crash there is all of it, or nothing.
    const together = 'identity-key,pre-key,session'
    await tried('all of it goes together', () => assert.equal(pharmacy.sets.join(' '), together))
    const { 2: preKey } = await pharmacy.keys.get('pre-key', ['2'])
    await tried('the pre-key is gone', () => assert.ok(!preKey))
})

await losing('all talk at once', async (customer, companies, tried) => {
    if (!bindSignalJobs) {
        return // what is lost differs from run to run
    }
    await Promise.all(companies.map(async (each, which) => {
        for (let turn = 0; turn < 12; turn++) {
            const question = await encrypt(customer, each, `question ${turn}`)
            await setTimeout((turn * 7 + which * 5) % 4)
            await tried('the company reads', () => decrypt(each, customer, question))
            const answers = await Promise.all([1, 2, 3].map(answer => encrypt(each, customer, `answer ${answer}`)))
            for (const answer of answers) {
                await tried('the customer reads', () => decrypt(customer, each, answer))
            }
        }
    }))
})

say(JSON.stringify(lost))
process.exit() // the library's caches hold timers of three days
