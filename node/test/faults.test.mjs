import assert from 'node:assert/strict'
import { test } from 'node:test'
import { useDatabaseAuthState } from '../src/index.js'
import { busy, eventually, network, sql, steal, stored, traffic } from './faults.mjs'
import { SERVICE, baileys, libsignal, pool } from './library.mjs'

const options = { baileys: await baileys(7), libsignal }
const db = pool({ max: 8 })

test('a write whose answer is lost on the way is sent again, once and in its place', async () => {
    const wire = await network()
    const { state, close } = await useDatabaseAuthState(pool({ connectionString: wire.url }), 'cut', options)
    wire.cut('S-SECOND')
    await Promise.all(['S-FIRST', 'S-SECOND', 'S-THIRD'].map(name => state.keys.set({ session: { '1.0': { name } } })))
    assert.equal(wire.cuts, 1)
    assert.deepEqual(await stored('cut', 'session', '1.0'), { name: 'S-THIRD' })
    await close()
})

test('a connection that breaks before the server has heard costs nothing', async () => {
    const wire = await network()
    const { state } = await useDatabaseAuthState(pool({ connectionString: wire.url }), 'dropped', options)
    wire.drop('S-DROPPED')
    await state.keys.set({ session: { '1.0': { name: 'S-DROPPED' }, '2.0': { name: 'whole' } } })
    assert.equal(wire.cuts, 1)
    assert.deepEqual(await state.keys.get('session', ['1.0', '2.0']), { '1.0': { name: 'S-DROPPED' }, '2.0': { name: 'whole' } })
})

test('an account that is busy keeps no other waiting', async () => {
    const [slow, quick] = await Promise.all(['slow', 'quick'].map(id => useDatabaseAuthState(db, id, options)))
    const free = await busy('slow')
    let done = false
    const waiting = slow.state.keys.set({ session: { '1.0': { n: 1 } } }).then(() => (done = true))
    for (let n = 0; n < 20; n++) {
        await quick.state.keys.set({ session: { '1.0': { n } } })
    }
    assert.equal(done, false)
    await free()
    await waiting
    assert.deepEqual(await stored('slow', 'session', '1.0'), { n: 1 })
})

test('without a lease an account that stays busy is given up, with the reason', async () => {
    const short = pool({ options: '-c auth_state.lock_wait=50ms' })
    const { state } = await useDatabaseAuthState(short, 'given-up', { ...options, retryMs: 300 })
    const free = await busy('given-up')
    await assert.rejects(state.keys.set({ session: { '1.0': { n: 1 } } }), { code: '55P03' })
    await free()
    await state.keys.set({ session: { '1.0': { n: 2 } } })
})

test('under a lease it is waited for, since giving up loses a ratchet step', async () => {
    const short = pool({ options: '-c auth_state.lock_wait=50ms' })
    const lease = { holder: 'me', ttlMs: 20_000 }
    const { state, close } = await useDatabaseAuthState(short, 'waited-for', { ...options, retryMs: 200, lease })
    const free = await busy('waited-for')
    const waiting = state.keys.set({ session: { '1.0': { n: 1 } } })
    await new Promise(resolve => setTimeout(resolve, 1000))
    await free()
    await waiting
    assert.deepEqual(await stored('waited-for', 'session', '1.0'), { n: 1 })
    await close()
})

test('a lease stolen in the middle of the writes leaves no batch torn and nothing written after it', async () => {
    const writer = traffic({ url: SERVICE, companies: ['stolen'], lease: { holder: 'victim', ttlMs: 30_000 } })
    await eventually(() => writer.lines.filter(({ acknowledged }) => acknowledged).length >= 10, 30_000)
    await steal('stolen')
    const [{ keys: before }] = await sql("select auth_get_keys('stolen', 'session', $1::text[]) as keys", [ids()])
    await eventually(() => writer.lines.some(({ refused }) => refused), 30_000)
    await writer.ended
    const [{ keys: after }] = await sql("select auth_get_keys('stolen', 'session', $1::text[]) as keys", [ids()])
    assert.deepEqual(after, before)
    const last = writer.lines.filter(({ acknowledged }) => acknowledged).at(-1).acknowledged
    const batches = new Set(Object.values(after).filter(Boolean).map(({ batch }) => batch))
    assert.equal(batches.size, 1, 'a batch is whole')
    assert.ok([...batches][0] >= last, 'what was acknowledged is there')
    assert.ok(writer.lines.some(({ lost }) => lost === 'WA002'))
})

function ids() {
    return Array.from({ length: 30 }, (_, n) => `${n}.0`)
}
