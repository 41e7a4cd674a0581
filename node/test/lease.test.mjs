import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LeaseHeld, LeaseLost, useDatabaseAuthState } from '../src/index.js'
import { busy, counted, eventually, network, pause, sql, steal, stored, traffic } from './faults.mjs'
import { SERVICE, baileys, libsignal, pool } from './library.mjs'

const options = { baileys: await baileys(7), libsignal }
const db = counted(pool())

/** An account under a lease, and what onLeaseLost was told. */
async function leased(companyId, lease = {}, { over = db, ...more } = {}) {
    const lost = []
    const auth = await useDatabaseAuthState(over, companyId, {
        ...options, lease: { holder: 'test', ...lease }, onLeaseLost: error => lost.push(error), ...more
    })
    test.after(() => auth.close().catch(() => {}))
    return { ...auth, lost }
}

/** Every call is refused at once, and none reaches the database. */
async function refusesAll({ state, saveCreds, calls = db }) {
    const started = performance.now()
    assert.equal(await calls.of(async () => {
        await assert.rejects(state.keys.get('session', ['1.0']), LeaseLost)
        await assert.rejects(state.keys.set({ session: { '1.0': { n: 'stale' } } }), LeaseLost)
        await assert.rejects(saveCreds(), LeaseLost)
        await assert.rejects(state.keys.clear(), LeaseLost)
        await assert.rejects(state.keys.list('session').next(), LeaseLost)
    }), 0)
    assert.ok(performance.now() - started < 100)
}

test('an account under a lease of somebody else is not opened', async () => {
    await steal('taken', 'somebody')
    await assert.rejects(leased('taken'), error => {
        assert.ok(error instanceof LeaseHeld && error instanceof LeaseLost)
        assert.deepEqual([error.code, error.holder], ['WA002', 'somebody'])
        assert.ok(error.expiresAt > new Date())
        assert.match(error.detail, /"somebody" holds it until 2/)
        return true
    })
    const { lease, state } = await leased('taken', { steal: true })
    assert.ok(lease.token > 0)
    await state.keys.set({ session: { '1.0': { n: 1 } } })
})

test('a second process under the name of a live one is told that its own name holds the account', async () => {
    await leased('own name', { holder: 'host' })
    const restarted = await leased('own name', { holder: 'host' })
    for (let n = 0; n < 3; n++) {
        await assert.rejects(leased('own name', { holder: 'host' }), error => {
            assert.ok(error instanceof LeaseHeld)
            assert.deepEqual([error.code, error.holder], ['WA002', 'host'])
            assert.equal(error.message, 'company "own name" is under a lease; your own name holds it: is another process running under it?')
            assert.match(error.hint, /^Give each process a name .* host name and process id/)
            return true
        })
    }
    await restarted.state.keys.set({ session: { '1.0': { n: 1 } } })
    assert.deepEqual(restarted.lost, [])
})

test('who is told of another holder is not told of its own name', async () => {
    await steal('other name', 'somebody')
    await assert.rejects(leased('other name'), error => {
        assert.equal(error.message, 'company "other name" is under a lease')
        assert.doesNotMatch(`${error.message} ${error.detail} ${error.hint}`, /your own|Give each/)
        return true
    })
})

test('of many that open the same account at once, one has it', async () => {
    const opened = await Promise.allSettled(Array.from({ length: 6 }, (_, n) => leased('race', { holder: `holder ${n}` })))
    assert.equal(opened.filter(({ status }) => status === 'fulfilled').length, 1)
    assert.ok(opened.filter(({ status }) => status === 'rejected').every(({ reason }) => reason instanceof LeaseLost))
})

test('renewals keep a lease alive over several times its length', async () => {
    const { state, lease, lost } = await leased('renewed', { ttlMs: 600 })
    const token = lease.token
    await pause(2500)
    await state.keys.set({ session: { '1.0': { n: 1 } } })
    assert.deepEqual(await state.keys.get('session', ['1.0']), { '1.0': { n: 1 } })
    assert.equal(lease.token, token)
    assert.deepEqual(lost, [])
})

test('a stolen lease is noticed by the renewal, without a write', async () => {
    const auth = await leased('stolen quietly', { ttlMs: 900 })
    await steal('stolen quietly')
    await eventually(() => auth.lost.length > 0, 1000)
    assert.equal(auth.lost[0].code, 'WA002')
    assert.match(auth.lost[0].detail, /"thief" holds it/)
    await refusesAll(auth)
    assert.equal(auth.lease.lost, auth.lost[0])
    await pause(1000)
    assert.equal(auth.lost.length, 1)
})

test('a lease ends at its deadline by the clock of this process when the network is silent', async () => {
    const between = await network()
    const far = counted(pool({ connectionString: between.url }))
    const started = performance.now()
    const auth = await leased('silent', { ttlMs: 900 }, { over: far })
    between.freeze()
    const frozen = performance.now()
    const waiting = assert.rejects(auth.state.keys.set({ session: { '1.0': { n: 'late' } } }))
    await eventually(() => auth.lost.length > 0, 3000)
    assert.ok(performance.now() - started >= 900)
    assert.ok(performance.now() - frozen < 1100, 'at the deadline, not when the network says so')
    await refusesAll({ ...auth, calls: far })
    await steal('silent')
    between.thaw()
    await waiting
    await refusesAll({ ...auth, calls: far })
    assert.equal(auth.lost.length, 1)
    assert.equal(await stored('silent', 'session', '1.0'), null)
})

test('a network that is back before the deadline costs nothing', async () => {
    const between = await network()
    const far = pool({ connectionString: between.url })
    const auth = await leased('back in time', { ttlMs: 3000 }, { over: far })
    between.freeze()
    const written = auth.state.keys.set({ session: { '1.0': { n: 1 } } })
    await pause(1300) // over the first renewal
    between.thaw()
    await written
    await pause(2500)
    assert.deepEqual(await auth.state.keys.get('session', ['1.0']), { '1.0': { n: 1 } })
    assert.deepEqual(auth.lost, [])
})

test('writes that wait when the lease ends never reach the database', async () => {
    const auth = await leased('queued', { ttlMs: 3000 })
    const free = await busy('queued')
    const sent = () => db.calls.filter(({ fn }) => fn === 'auth_set_keys').length
    const before = sent()
    const outcomes = Array.from({ length: 10 }, (_, n) => auth.state.keys.set({ session: { [`${n}.0`]: { n } } }))
    const settled = Promise.allSettled(outcomes)
    await eventually(() => sent() > before) // the first, which is waiting there
    await eventually(() => auth.lost.length > 0, 8000)
    await pause(100) // the server counts from when it was asked, a little later
    await free()
    assert.ok((await settled).every(({ status }) => status === 'rejected'))
    assert.equal(sent(), before + 1)
    const [{ count }] = await sql(`select count(*)::int from auth_list_keys('queued', 'session')`)
    assert.equal(count, 0)
})

test('a process that was stopped beyond its lease is refused when it wakes up', async () => {
    const { child, lines } = traffic({
        url: SERVICE, companies: ['asleep'], lease: { holder: 'sleeper', ttlMs: 2500 }, onDemand: true
    })
    await eventually(() => lines.some(line => line.open))
    child.stdin.write('go\n')
    await eventually(() => lines.some(line => line.acknowledged === 1))
    child.kill('SIGSTOP')
    await pause(2700)
    const theirs = await leased('asleep', { holder: 'successor' })
    await theirs.state.keys.set({ session: { '1.0': { n: 'theirs' } } })
    child.stdin.write('go\n')
    child.kill('SIGCONT')
    await eventually(() => lines.some(line => line.refused === 2))
    assert.deepEqual(lines.filter(line => line.refused), [{ company: 'asleep', refused: 2, name: 'LeaseLost', code: 'WA002' }])
    assert.deepEqual(lines.filter(line => line.lost), [{ company: 'asleep', lost: 'WA002' }])
    assert.deepEqual(await theirs.state.keys.get('session', ['1.0']), { '1.0': { n: 'theirs' } })
    assert.deepEqual(await stored('asleep', 'session', '1.0'), { n: 'theirs' })
})

test('a process that was stopped in the middle of its writes is refused when it wakes up', async () => {
    for (let round = 0; round < 3; round++) {
        const companyId = `busy sleeper ${round}`
        const { child, lines, ended } = traffic({ url: SERVICE, companies: [companyId], lease: { holder: 'sleeper', ttlMs: 2500 } })
        await eventually(() => lines.some(line => line.acknowledged > 3))
        child.kill('SIGSTOP')
        await pause(2700)
        const theirs = await leased(companyId, { holder: 'successor' })
        const before = lines.at(-1).acknowledged
        const { last } = await theirs.state.keys.get('tctoken', ['last'])
        assert.ok(last.batch >= before)
        await theirs.state.keys.set({ tctoken: { last: { batch: 'theirs' } } })
        const creds = theirs.state.creds.accountSyncCounter
        child.kill('SIGCONT')
        await ended
        assert.deepEqual(lines.filter(line => line.lost), [{ company: companyId, lost: 'WA002' }])
        assert.deepEqual(lines.filter(line => line.refused).map(({ name }) => name), ['LeaseLost'])
        assert.deepEqual(await stored(companyId, 'tctoken', 'last'), { batch: 'theirs' })
        const [{ counter }] = await sql(`select auth_get_creds($1) ->> 'accountSyncCounter' as counter`, [companyId])
        assert.equal(Number(counter), creds)
        // What was acknowledged was there when the successor looked.
        assert.ok(Math.max(...lines.map(line => line.acknowledged ?? 0)) <= last.batch)
    }
})

test('close gives the lease back, after the writes under way', async () => {
    const first = await leased('given back')
    for (let n = 0; n < 20; n++) {
        first.state.keys.set({ session: { '1.0': { n } } })
    }
    await first.close()
    assert.deepEqual(await stored('given back', 'session', '1.0'), { n: 19 })
    await assert.rejects(first.state.keys.get('session', ['1.0']), /closed/)
    const second = await leased('given back', { holder: 'other' })
    assert.deepEqual(first.lost, [])
    await first.close()
    await second.state.keys.set({ session: { '1.0': { n: 'second' } } })
})

test('close gives the lease back over a network that breaks', async () => {
    const between = await network()
    const far = pool({ connectionString: between.url })
    const first = await leased('given back late', {}, { over: far })
    between.drop('auth_release_lease')
    await first.close()
    assert.equal(between.cuts, 1)
    await leased('given back late', { holder: 'other' })
})

test('closing after the lease was lost takes nothing from its new holder', async () => {
    const auth = await leased('lost and closed')
    const token = await steal('lost and closed')
    await assert.rejects(auth.state.keys.set({ session: { '1.0': { n: 1 } } }), LeaseLost)
    await auth.close()
    await sql('select auth_renew_lease($1, $2)', ['lost and closed', token])
})

test('the same holder has its account back at once after a crash', async () => {
    const { child, lines, ended } = traffic({ url: SERVICE, companies: ['crashed'], lease: { holder: 'host 1' } })
    await eventually(() => lines.some(line => line.acknowledged > 3))
    child.kill('SIGKILL')
    await ended
    await assert.rejects(leased('crashed', { holder: 'host 2' }), LeaseLost)
    const started = performance.now()
    const again = await leased('crashed', { holder: 'host 1' })
    assert.ok(performance.now() - started < 3000)
    assert.ok(again.lease.token > lines.find(line => line.open).open)
    const acknowledged = lines.at(-1).acknowledged
    const { last } = await again.state.keys.get('tctoken', ['last'])
    assert.ok([acknowledged, acknowledged + 1].includes(last.batch))
})

test('what was lost stays lost for the one who opened it twice', async () => {
    const first = await leased('twice')
    const second = await leased('twice')
    await assert.rejects(first.state.keys.set({ session: { '1.0': { n: 1 } } }), LeaseLost)
    await second.state.keys.set({ session: { '1.0': { n: 2 } } })
    await refusesAll(first)
})

test('the moment a lease ends is told even when nobody uses the account', async () => {
    const between = await network()
    const far = pool({ connectionString: between.url })
    // The timer and the clock round differently: each of these lengths ends between two milliseconds.
    const all = await Promise.all(Array.from({ length: 12 }, (_, n) => leased(`ends ${n}`, { ttlMs: 3000 + n * 7.3 }, { over: far })))
    between.freeze()
    await eventually(() => all.every(({ lost }) => lost.length === 1), 5000)
})

// A timer of more than 24.8 days fires after a millisecond, again and again.
test('a lease of 300 days is not renewed all the time', async () => {
    const auth = await leased('long', { ttlMs: 300 * 86_400_000 })
    assert.equal(await db.of(() => pause(200)), 0)
    assert.deepEqual(auth.lost, [])
    await auth.close()
})
