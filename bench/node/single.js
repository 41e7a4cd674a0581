/**
 * One account, one call at a time: what each of Baileys' calls takes. Stores take turns, a few calls each.
 *
 *     BENCH_SERVERS=… node single.js [names of stores]
 */
import { assertFound, filled, openStores, quick, report, servers } from './stores.js'
import * as values from './values.js'

const names = process.argv.slice(2)
const ACCOUNT = 'company_1'
const BUDGET_MS = quick ? 500 : 7_000 // for each workload, all stores together
const LEAST_ROUNDS = quick ? 2 : 10
const CALLS = 5 // of one store in a row

const preKeys = values.numbers(812)
const sessions = values.devices(1000)
const some = count => {
    const first = Math.floor(Math.random() * (sessions.length - count))
    return sessions.slice(first, first + count)
}

const get = (type, idsOf, calls = CALLS) => ({
    calls,
    make: idsOf,
    run: (auth, ids) => auth.state.keys.get(type, ids),
    check: (store, found, ids) => assertFound(store, found, ids)
})
const set = (type, idsOf, value, calls = CALLS) => ({
    calls,
    make: () => ({ [type]: values.each(idsOf(), value) }),
    run: (auth, data) => auth.state.keys.set(data)
})

const WORKLOADS = {
    'read creds': {
        calls: CALLS,
        make: () => ACCOUNT,
        run: (_, account, store) => store.open(account),
        check(store, auth) {
            if (auth.state.creds.me.id !== values.creds.me.id) {
                throw new Error(`${store.name} lost creds`)
            }
        },
        without: ['pg-auth-state, warm cache'] // opening reads the keys, too
    },
    'save creds': {
        calls: CALLS,
        make: auth => { auth.state.creds.accountSyncCounter++ },
        run: auth => auth.saveCreds()
    },
    'get 1 session': get('session', () => some(1)),
    'get 10 sessions': get('session', () => some(10)),
    'get 812 pre-keys': get('pre-key', () => preKeys, 1),
    'set 1 session': set('session', () => some(1), values.session),
    'set 10 sessions': set('session', () => some(10), values.session),
    'set 100 sessions': set('session', () => some(100), values.session, 1),
    'set 812 pre-keys': set('pre-key', () => preKeys, values.preKey, 1)
}

async function call({ make, run, check }, store, auth) {
    const given = make(auth)
    const started = performance.now()
    const answer = await run(auth, given, store)
    const took = performance.now() - started
    check?.(store, answer, given)
    return took
}

const stores = await openStores(servers, names.length ? names : undefined)
const accounts = new Map()
for (const store of stores) {
    const keys = () => ({ 'pre-key': values.each(preKeys, values.preKey), session: values.each(sessions, values.session) })
    const [auth] = await filled(store, [ACCOUNT], keys, values.creds)
    accounts.set(store, auth)
}
for (const [store, { state: { keys } }] of accounts) {
    const given = new Uint8Array(values.identityKey())
    await keys.set({ 'identity-key': { mine: given } })
    const { mine } = await keys.get('identity-key', ['mine'])
    report('keeps a Uint8Array', store, [mine instanceof Uint8Array && Buffer.compare(mine, given) === 0 ? 1 : 0], '')
}
for (const [name, workload] of Object.entries(WORKLOADS)) {
    const contenders = stores.filter(store => !workload.without?.includes(store.name))
    const took = new Map(contenders.map(store => [store, []]))
    const end = performance.now() + BUDGET_MS
    for (let round = -1; round < LEAST_ROUNDS || performance.now() < end; round++) {
        for (let turn = 0; turn < contenders.length; turn++) {
            const store = contenders[(turn + Math.max(round, 0)) % contenders.length]
            for (let count = 0; count < workload.calls; count++) {
                const ms = await call(workload, store, accounts.get(store))
                if (round >= 0) { // the first round warms up
                    took.get(store).push(ms)
                }
            }
        }
    }
    for (const [store, ms] of took) {
        report(name, store, ms)
    }
}
await Promise.all(stores.map(store => store.close()))
process.exit()
