/**
 * The first message to a group: a get for each device, one after another, then one set of all their sessions and
 * the group's sender-key. Between client and server lies a network with a delay.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import pg from 'pg'
import { filled, openStores, quick, report, servers } from './stores.js'
import * as values from './values.js'

const DEVICES = quick ? 50 : 1_000
const DELAYS_MS = [0, 5, 20]
const ROUNDS = { 0: 5, 5: 1, 20: 1 }
const CONTENDERS = ['pg-auth-state', 'pg-auth-state, warm cache', 'postgres-baileys', 'baileys-store on Redis']
const ACCOUNT = 'group_1'
const GROUP = '120363025000000001@g.us'
const SENDER = `${GROUP}::5511900000000::0`

const { ours, postgres, redis } = servers
const devices = values.devices(DEVICES)

async function send({ state: { keys } }) {
    const started = performance.now()
    await keys.get('sender-key-memory', [GROUP])
    await keys.get('sender-key', [SENDER])
    const session = {}
    for (const id of devices) {
        session[id] = values.turned((await keys.get('session', [id]))[id])
    }
    await keys.set({
        session, 'sender-key': { [SENDER]: values.senderKey() }, 'sender-key-memory': { [GROUP]: values.memory(devices) }
    })
    return performance.now() - started
}

/** The URL of a proxy in front of a server, where there is a delay. */
async function delayed(url, delayMs, proxies) {
    if (!delayMs) {
        return url
    }
    const target = new URL(url)
    const proxy = fork(new URL('proxy.js', import.meta.url), [target.port, delayMs])
    proxies.push(proxy)
    target.port = (await once(proxy, 'message'))[0]
    return target.href
}

/** What the delay comes to, timers being what they are. */
async function roundTrip(connectionString, name) {
    const client = new pg.Client({ connectionString })
    await client.connect()
    const took = []
    for (let count = 0; count < 30; count++) {
        const started = performance.now()
        await client.query('select 1')
        took.push(performance.now() - started)
    }
    await client.end()
    report(name, { name: 'select 1' }, took)
}

for (const store of await openStores({ ours, postgres, redis }, CONTENDERS)) {
    await filled(store, [ACCOUNT], () => ({ session: values.each(devices, values.session) }), values.creds)
    await store.close()
}
for (const delayMs of DELAYS_MS) {
    const proxies = []
    const network = `${delayMs} ms of network`
    const where = {
        ours: await delayed(ours, delayMs, proxies),
        postgres: await delayed(postgres, delayMs, proxies),
        redis: redis && await delayed(redis, delayMs, proxies)
    }
    await roundTrip(where.ours, network)
    const stores = await openStores(where, CONTENDERS)
    const accounts = new Map()
    for (const store of stores) {
        const started = performance.now()
        accounts.set(store, await store.open(ACCOUNT))
        report(`opening, ${network}`, store, [performance.now() - started])
    }
    const took = new Map(stores.map(store => [store, []]))
    for (let round = 0; round < ROUNDS[delayMs]; round++) {
        for (const store of stores) {
            took.get(store).push(await send(accounts.get(store)))
        }
    }
    for (const [store, ms] of took) {
        report(`first message to ${DEVICES.toLocaleString('en')} devices, ${network}`, store, ms)
    }
    await Promise.all(stores.map(store => store.close()))
    proxies.forEach(proxy => proxy.disconnect())
}
process.exit()
