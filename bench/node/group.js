/**
 * The first message to a group: a get for each device, one after another, then one set of all their sessions and
 * the group's sender-key. Between client and server lies a network with a delay.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { filled, openStores, quick, report, servers } from './stores.js'
import * as values from './values.js'

const DEVICES = quick ? 200 : 1_000
const DELAYS_MS = [0, 5, 20]
const ROUNDS = { 0: 5, 5: quick ? 1 : 2, 20: 1 }
const CONTENDERS = ['pg-auth-state', 'pg-auth-state, warm cache', 'postgres-baileys', 'baileys-store on Redis']
const ACCOUNT = 'group_1'
const GROUP = '120363025000000001@g.us'
const SENDER = `${GROUP}::5511900000000::0`

const { ours, postgres, redis } = servers
const devices = values.devices(DEVICES)
const sets = []

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

/** The URL of a proxy in front of a server. */
async function delayed(url, delayMs, proxies) {
    const target = new URL(url)
    const proxy = fork(new URL('proxy.js', import.meta.url), [target.port, delayMs])
    proxies.push(proxy)
    target.port = (await once(proxy, 'message'))[0]
    return target.href
}

const contending = async where => (await openStores(where)).filter(({ name }) => CONTENDERS.includes(name))

for (const store of await contending({ ours, postgres, redis })) {
    await filled(store, [ACCOUNT], () => ({ session: values.each(devices, values.session) }), values.creds)
    await store.close()
}
for (const delayMs of DELAYS_MS) {
    const proxies = []
    const stores = await contending({
        ours: await delayed(ours, delayMs, proxies),
        postgres: await delayed(postgres, delayMs, proxies),
        redis: redis && await delayed(redis, delayMs, proxies)
    })
    const accounts = new Map()
    for (const store of stores) {
        const started = performance.now()
        accounts.set(store, await store.open(ACCOUNT))
        report(`opening at ${delayMs} ms`, store, [performance.now() - started])
    }
    const took = new Map(stores.map(store => [store, []]))
    for (let round = 0; round < ROUNDS[delayMs]; round++) {
        for (const store of stores) {
            took.get(store).push(await send(accounts.get(store)))
        }
    }
    for (const [store, ms] of took) {
        report(`first message to ${DEVICES.toLocaleString('en')} devices at ${delayMs} ms`, store, ms)
    }
    await Promise.all(stores.map(store => store.close()))
    proxies.forEach(proxy => proxy.disconnect())
}
process.exit()
