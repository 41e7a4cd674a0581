import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cache } from '../src/cache.js'
import { LeaseLost, useDatabaseAuthState } from '../src/index.js'
import { counted, network, sql, steal, stored } from './faults.mjs'
import { baileys, libsignal, pool } from './library.mjs'

const options = { baileys: await baileys(7), libsignal }
const db = counted(pool())

const leased = (companyId, more = {}) =>
    useDatabaseAuthState(more.db ?? db, companyId, { ...options, lease: { holder: 'test' }, ...more })
const numbered = (count, value) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`${n}.0`, value(n)]))

/** An account with these keys, opened under a lease after they were written. */
async function warm(companyId, keys, more) {
    const before = await useDatabaseAuthState(db, companyId, options)
    await before.state.keys.set(keys)
    await before.close()
    return leased(companyId, more)
}

test('the first send to a group of 1,000 devices asks the database for nothing, and writes once', async () => {
    const group = '120363000000000000@g.us'
    const sender = `${group}::5511900000001::2`
    const sessions = numbered(1000, n => ({ _sessions: { n, filler: 'x'.repeat(850) }, version: 'v1' }))
    const { state } = await warm('group', { session: sessions, 'device-list': { 5511900000001: ['0', '2'] } })
    const read = {}
    assert.equal(await db.of(async () => {
        assert.deepEqual(await state.keys.get('device-list', ['5511900000001']), { 5511900000001: ['0', '2'] })
        assert.deepEqual(await state.keys.get('sender-key-memory', [group]), { [group]: null })
        assert.deepEqual(await state.keys.get('sender-key', [sender]), { [sender]: null })
        for (const id of Object.keys(sessions)) {
            Object.assign(read, await state.keys.get('session', [id]))
        }
    }), 0)
    assert.deepEqual(read, sessions)
    const memory = Object.fromEntries(Object.keys(sessions).map(id => [`${id}@s.whatsapp.net`, true]))
    assert.equal(await db.of(() => state.keys.set({
        session: numbered(1000, n => ({ _sessions: { n, filler: 'y'.repeat(850) }, version: 'v1' })),
        'sender-key': { [sender]: Buffer.from('key') },
        'sender-key-memory': { [group]: memory }
    })), 1)
    assert.equal((await stored('group', 'session', '999.0'))._sessions.filler[0], 'y')
    assert.equal(await db.of(async () => {
        assert.deepEqual(await state.keys.get('sender-key', [sender]), { [sender]: Buffer.from('key') })
        assert.deepEqual(await state.keys.get('sender-key-memory', [group]), { [group]: memory })
        assert.equal((await state.keys.get('session', ['500.0']))['500.0']._sessions.filler[0], 'y')
    }), 0)
})

test('a key that is not there costs no call, whatever it is called', async () => {
    const { state } = await leased('misses')
    const names = ['__index', 'constructor', '__proto__', 'toString', '1']
    assert.equal(await db.of(async () => {
        for (const id of names) {
            const found = await state.keys.get('tctoken', [id])
            assert.deepEqual(Object.entries(found), [[id, null]])
        }
        assert.deepEqual(await state.keys.get('constructor', ['name']), { name: null })
        assert.deepEqual(await state.keys.get('tctoken', []), {})
    }), 0)
})

test('a deleted key is gone from memory and from the database', async () => {
    const { state } = await warm('deleted', { session: { '1.0': { n: 1 }, '2.0': { n: 2 } } })
    await state.keys.set({ session: { '1.0': null } })
    assert.equal(await db.of(async () => {
        assert.deepEqual(await state.keys.get('session', ['1.0', '2.0']), { '1.0': null, '2.0': { n: 2 } })
    }), 0)
    assert.equal(await stored('deleted', 'session', '1.0'), null)
    await state.keys.clear()
    assert.equal(await db.of(async () => {
        assert.deepEqual(await state.keys.get('session', ['2.0']), { '2.0': null })
    }), 0)
    assert.equal(await stored('deleted', 'session', '2.0'), null)
})

test('what does not fit into maxCacheBytes is read on demand, and what is not there is known all the same', async () => {
    const value = n => ({ n, filler: 'x'.repeat(980) })
    const { state } = await warm('large', { session: numbered(100, value), tctoken: { small: { n: 1 } } }, { maxCacheBytes: 20_000 })
    let called = 0
    for (let n = 0; n < 100; n++) {
        called += await db.of(async () => {
            assert.deepEqual(await state.keys.get('session', [`${n}.0`]), { [`${n}.0`]: value(n) })
        })
    }
    assert.ok(called >= 80 && called < 90, `${called} of 100 were read from the database`)
    // Several that are not in memory take one call, and what is in memory is not asked for again.
    const ids = Array.from({ length: 100 }, (_, n) => `${n}.0`)
    assert.equal(await db.of(async () => assert.deepEqual(await state.keys.get('session', ids), numbered(100, value))), 1)
    assert.equal(db.calls.at(-1).values[2].length, called)
    assert.equal(await db.of(async () => {
        assert.deepEqual(await state.keys.get('session', ['100.0']), { '100.0': null })
        assert.deepEqual(await state.keys.get('tctoken', ['small']), { small: { n: 1 } })
    }), 0)
    // A value that grows out of memory, and one that never was in it.
    await state.keys.set({ tctoken: { small: { big: 'x'.repeat(30_000) } }, session: { '99.0': { n: 'new' } } })
    assert.equal((await state.keys.get('tctoken', ['small'])).small.big.length, 30_000)
    assert.deepEqual(await state.keys.get('session', ['99.0']), { '99.0': { n: 'new' } })
})

test('without room for a single value all ids are known', async () => {
    const { state } = await warm('no room', { session: { '1.0': { n: 1 } } }, { maxCacheBytes: 0 })
    assert.equal(await db.of(() => state.keys.get('session', ['2.0'])), 0)
    assert.equal(await db.of(async () => assert.deepEqual(await state.keys.get('session', ['1.0']), { '1.0': { n: 1 } })), 1)
})

test('the memory that values take never exceeds the bound, and is given back', () => {
    const cache = new Cache(1000)
    for (let round = 0; round < 2000; round++) {
        const id = String(round * 7919 % 40)
        if (round % 5 === 0) {
            cache.remove('session', id)
        } else {
            cache.put('session', id, round % 11 === 0 ? undefined : 'x'.repeat(round * 31 % 120))
        }
        const held = [...cache.types.get('session')?.values() ?? []].reduce((sum, text) => sum + (text?.length ?? 0), 0)
        assert.equal(cache.bytes, held)
        assert.ok(held <= 1000)
    }
    cache.clear()
    assert.equal(cache.bytes, 0)
})

test('more keys than a page holds are all in memory', async () => {
    const { state } = await warm('pages', { 'lid-mapping': numbered(2500, n => `${n}`) })
    assert.equal(await db.of(async () => {
        for (const n of [0, 999, 1000, 1001, 2000, 2499]) {
            assert.deepEqual(await state.keys.get('lid-mapping', [`${n}.0`]), { [`${n}.0`]: `${n}` })
        }
        assert.deepEqual(await state.keys.get('lid-mapping', ['2500.0']), { '2500.0': null })
    }), 0)
})

test('what a get returned can be changed without changing what the next one returns', async () => {
    const { state } = await warm('shared', { 'sender-key-memory': { g: { a: true } }, 'sender-key': { s: Buffer.from([1, 2]) } })
    for (const fresh of [false, true]) {
        if (fresh) {
            const memory = { a: true }
            const written = state.keys.set({ 'sender-key-memory': { g: memory }, 'sender-key': { s: Buffer.from([1, 2]) } })
            memory.late = true
            await written
        }
        const { g } = await state.keys.get('sender-key-memory', ['g'])
        g.b = true
        const { s } = await state.keys.get('sender-key', ['s'])
        s[0] = 9
        assert.deepEqual(await state.keys.get('sender-key-memory', ['g']), { g: { a: true } })
        assert.deepEqual(await state.keys.get('sender-key', ['s']), { s: Buffer.from([1, 2]) })
    }
})

test('memory gives every value as the database gives it', async () => {
    const { AppStateSyncKeyData } = options.baileys.proto.Message
    const keys = {
        'identity-key': { 'a.0': new Uint8Array([1, 2, 3]) },
        'app-state-sync-key': { 'AA/+=': AppStateSyncKeyData.fromObject({ keyData: Buffer.alloc(32, 7), timestamp: 5 }) },
        'lid-mapping': { 1: '2', '2_reverse': '1' },
        'sender-key-memory': { g: {} },
        session: { nul: { name: 'A\0na \ud83d', 1: 'one' }, deep: { a: [1, 2.5, null, { b: Buffer.from([0]) }] } },
        tctoken: { __index: { list: ['x'] } }
    }
    const cold = await useDatabaseAuthState(db, 'values', options)
    await cold.state.keys.set(keys)
    const expected = {}
    for (const type in keys) {
        expected[type] = await cold.state.keys.get(type, Object.keys(keys[type]))
    }
    const { state } = await leased('values')
    for (const rewritten of [false, true]) {
        if (rewritten) {
            await state.keys.set(keys)
        }
        assert.equal(await db.of(async () => {
            for (const type in keys) {
                assert.deepEqual(await state.keys.get(type, Object.keys(keys[type])), expected[type])
            }
        }), 0)
    }
})

test('a set that the database refuses leaves memory as the database is', async () => {
    const { state } = await warm('refused', { session: { '1.0': { n: 1 } } })
    await sql(`create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$`)
    await sql(`create trigger refuse before insert or update or delete on whatsapp_keys for each row
        when (pg_trigger_depth() = 0) execute function refuse()`)
    const set = { session: { '1.0': { n: 2 }, '2.0': { n: 2 } }, tctoken: { t: { n: 2 } } }
    await assert.rejects(state.keys.set(set), { code: 'P0001' })
    await assert.rejects(state.keys.set({ session: { '1.0': null } }), { code: 'P0001' })
    await assert.rejects(state.keys.clear(), { code: 'P0001' })
    assert.deepEqual(await state.keys.get('session', ['1.0', '2.0']), { '1.0': { n: 1 }, '2.0': null })
    assert.deepEqual(await state.keys.get('tctoken', ['t']), { t: null })
    await sql('drop function refuse() cascade')
    await state.keys.set(set)
    assert.equal(await db.of(async () => {
        assert.deepEqual(await state.keys.get('session', ['1.0', '2.0']), { '1.0': { n: 2 }, '2.0': { n: 2 } })
    }), 0)
})

test('a value that is refused before it is sent changes nothing', async () => {
    const { state } = await warm('never sent', { session: { '1.0': { n: 1 } } })
    await assert.rejects(state.keys.set({ session: { '1.0': { 'a\0': 1 } } }), { code: 'WA001' })
    assert.deepEqual(await state.keys.get('session', ['1.0']), { '1.0': { n: 1 } })
})

test('a write whose answer never came is looked up in the database', async () => {
    const between = await network()
    const far = pool({ connectionString: between.url })
    const { state } = await warm('unanswered', { session: { '1.0': { n: 1 }, '2.0': { n: 1 } } }, { db: far, retryMs: 0 })
    between.cut('unanswered-mark')
    await assert.rejects(state.keys.set({ session: { '1.0': { n: 'unanswered-mark' } } }))
    assert.equal(between.cuts, 1)
    assert.deepEqual(await state.keys.get('session', ['1.0']), { '1.0': { n: 'unanswered-mark' } })
    between.drop('dropped-mark')
    await assert.rejects(state.keys.set({ session: { '2.0': { n: 'dropped-mark' } } }))
    assert.deepEqual(await state.keys.get('session', ['2.0']), { '2.0': { n: 1 } })
    await state.keys.set({ session: { '2.0': { n: 3 } } })
    assert.deepEqual(await state.keys.get('session', ['2.0']), { '2.0': { n: 3 } })
})

test('a clear whose answer never came is looked up in the database', async () => {
    const between = await network()
    const far = pool({ connectionString: between.url })
    const { state } = await warm('clear unanswered', { session: { '1.0': { n: 1 } } }, { db: far, retryMs: 0 })
    between.drop('auth_clear_keys')
    await assert.rejects(state.keys.clear())
    assert.deepEqual(await state.keys.get('session', ['1.0', '2.0']), { '1.0': { n: 1 }, '2.0': null })
    between.cut('auth_clear_keys')
    await assert.rejects(state.keys.clear())
    assert.equal(between.cuts, 2)
    assert.deepEqual(await state.keys.get('session', ['1.0', '2.0']), { '1.0': null, '2.0': null })
})

test('a read during a write gives what was written, and memory ends with the last', async () => {
    const { state } = await warm('reads during writes', { session: { '1.0': { n: 0 } } })
    const reads = []
    for (let n = 1; n <= 30; n++) {
        state.keys.set({ session: { '1.0': { n }, [`new ${n}`]: n % 2 ? { n } : null } })
        reads.push(state.keys.get('session', ['1.0']).then(read => assert.ok(read['1.0'].n >= n)))
    }
    await Promise.all(reads)
    assert.deepEqual(await state.keys.get('session', ['1.0', 'new 29', 'new 30']), { '1.0': { n: 30 }, 'new 29': { n: 29 }, 'new 30': null })
})

test('keys are listed in the order of their bytes, as they are at that moment', async () => {
    const { state } = await warm('listed', { 'pre-key': { 2: { n: 2 }, 10: { n: 10 }, 1: { n: 1 }, a: { n: 'a' } } })
    await state.keys.set({ 'pre-key': { 1: null, 3: { n: 3 } } })
    const listed = []
    for await (const entry of state.keys.list('pre-key')) {
        listed.push(entry)
    }
    assert.deepEqual(listed, [['10', { n: 10 }], ['2', { n: 2 }], ['3', { n: 3 }], ['a', { n: 'a' }]])
})

test('writes carry the token: others are refused while the lease lives', async () => {
    const { state, saveCreds, lease, close } = await leased('token')
    const without = await useDatabaseAuthState(db, 'token', options)
    await assert.rejects(without.state.keys.set({ session: { '1.0': { n: 1 } } }), LeaseLost)
    await assert.rejects(without.saveCreds(), LeaseLost)
    await assert.rejects(without.state.keys.clear(), LeaseLost)
    await state.keys.set({ session: { '1.0': { n: 2 } } })
    assert.equal(db.calls.at(-1).values.at(-1), lease.token)
    state.creds.accountSyncCounter = 5
    await saveCreds()
    await assert.rejects(leased('token', { lease: { holder: 'other' } }), LeaseLost)
    await close()
    await without.state.keys.set({ session: { '1.0': { n: 3 } } })
})

test('without a lease nothing is kept in memory: what another process writes is seen', async () => {
    const here = await useDatabaseAuthState(db, 'cold', options)
    await here.state.keys.set({ session: { '1.0': { n: 1 } } })
    await sql(`select auth_set_keys('cold', '{"session": {"1.0": {"n": 2}}}')`)
    assert.equal(await db.of(async () => assert.deepEqual(await here.state.keys.get('session', ['1.0']), { '1.0': { n: 2 } })), 1)
    await sql(`select auth_set_keys('cold', '{"session": {"1.0": null}}')`)
    assert.deepEqual(await here.state.keys.get('session', ['1.0']), { '1.0': null })
})

test('a lease that somebody took is noticed by the next write, and memory is not asked any more', async () => {
    const lost = []
    const { state, saveCreds } = await warm('stolen', { session: { '1.0': { n: 1 } } }, { onLeaseLost: error => lost.push(error) })
    const token = await steal('stolen')
    await sql(`select auth_set_keys('stolen', '{"session": {"1.0": {"n": "theirs"}}}', $1)`, [token])
    await assert.rejects(state.keys.set({ session: { '1.0': { n: 'stale' } } }), LeaseLost)
    assert.equal(await db.of(async () => {
        await assert.rejects(state.keys.get('session', ['1.0']), LeaseLost)
        await assert.rejects(state.keys.get('session', []), LeaseLost)
        await assert.rejects(state.keys.set({ session: { '1.0': { n: 'stale' } } }), LeaseLost)
        await assert.rejects(state.keys.clear(), LeaseLost)
        await assert.rejects(saveCreds(), LeaseLost)
    }), 0)
    assert.deepEqual(await stored('stolen', 'session', '1.0'), { n: 'theirs' })
    assert.equal(lost.length, 1)
    assert.ok(lost[0] instanceof LeaseLost)
    assert.equal(lost[0].code, 'WA002')
})
