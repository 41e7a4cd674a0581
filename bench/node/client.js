/**
 * What our client takes itself: processor time of a call on a pool that answers at once, in microseconds.
 *
 *     node bench/node/client.js [node folder of another checkout ...]
 *
 * Packages take turns, and what makes their JSON stands beside them.
 */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as baileys from 'baileys'
import * as values from './values.js'

const ROUNDS = 200
const CALLS = 5

const { BufferJSON } = baileys
const encode = value => JSON.stringify(value, BufferJSON.replacer)
const sessions = values.each(values.devices(1000), values.session)
const preKeys = values.each(values.numbers(812), values.preKey)
const stored = { session: sessions, 'pre-key': preKeys }
const ten = Object.keys(sessions).slice(0, 10)
const hundred = Object.fromEntries(Object.entries(sessions).slice(0, 100))

/** As auth_get_keys gives them. */
const found = new Map(Object.entries(stored).flatMap(([type, all]) => [[1], [10], [812]].map(([count]) => [
    `${type} ${count}`,
    `{ ${Object.keys(all).slice(0, count).map(id => `"${id}" : ${encode(all[id])}`).join(', ')} }`
])))

const ANSWERS = {
    auth_get_keys: ([, type, ids]) => [{ value: found.get(`${type} ${ids.length}`) }],
    auth_get_creds: () => [{ value: encode(values.creds) }],
    auth_acquire_lease: () => [{ acquired: 'true', token: '1', holder: 'bench', expires_at: new Date().toISOString() }],
    auth_stats: () => Object.keys(stored).map(type => ({ key_type: type, bytes: '1' })),
    auth_list_keys: ([, type, after]) => after
        ? [] : Object.entries(stored[type]).map(([id, value]) => ({ key_id: id, value: encode(value) }))
}
const pool = {
    async query({ text, values }) {
        const [, fn] = /\.(\w+)\(/.exec(text)
        return { rows: ANSWERS[fn]?.(values) ?? [{ value: '1' }] }
    }
}

const folders = [new URL('../../node/', import.meta.url), ...process.argv.slice(2).map(folder => pathToFileURL(`${resolve(folder)}/`))]
const packages = await Promise.all(folders.map(folder => import(new URL('src/index.js', folder))))

/** By name, the same call of every package. */
const calls = {}
for (const { useDatabaseAuthState } of packages) {
    const { state: { keys }, saveCreds } = await useDatabaseAuthState(pool, 'bench', { baileys })
    const warm = await useDatabaseAuthState(pool, 'warm', { baileys, lease: { holder: 'bench' } })
    for (const [name, call] of Object.entries({
        'get 1 session': () => keys.get('session', ten.slice(0, 1)),
        'get 10 sessions': () => keys.get('session', ten),
        'get 812 pre-keys': () => keys.get('pre-key', Object.keys(preKeys)),
        'get 1 session, warm cache': () => warm.state.keys.get('session', ten.slice(0, 1)),
        'get 10 sessions, warm cache': () => warm.state.keys.get('session', ten),
        'get 812 pre-keys, warm cache': () => warm.state.keys.get('pre-key', Object.keys(preKeys)),
        'set 1 session': () => keys.set({ session: { [ten[0]]: sessions[ten[0]] } }),
        'set 100 sessions': () => keys.set({ session: hundred }),
        'set 812 pre-keys': () => keys.set({ 'pre-key': preKeys }),
        'save creds': saveCreds
    })) {
        (calls[name] ??= []).push(call)
    }
}
const texts = ten.map(id => encode(sessions[id]))
calls['JSON.parse of 10 sessions'] = [() => texts.map(text => JSON.parse(text))]
calls['JSON.stringify of 100 sessions'] = [() => JSON.stringify(hundred)]

for (const [name, contenders] of Object.entries(calls)) {
    const took = contenders.map(() => [])
    for (let round = 0; round < ROUNDS; round++) {
        for (const [number, call] of contenders.entries()) {
            const before = process.cpuUsage()
            for (let count = 0; count < CALLS; count++) {
                await call()
            }
            const { user, system } = process.cpuUsage(before)
            took[number].push((user + system) / CALLS)
        }
    }
    const medians = took.map(all => all.sort((a, b) => a - b)[ROUNDS / 2].toFixed(0).padStart(8))
    console.log(name.padEnd(32), ...medians)
}
process.exit()
