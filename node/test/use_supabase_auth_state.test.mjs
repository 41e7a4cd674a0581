/** The real supabase-js against postgrest_stand_in.mjs. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import pg from 'pg'
import {
    IdentityChangeRefused, InvalidInput, LeaseLost, useDatabaseAuthState, useSupabaseAuthState
} from '../src/index.js'
import { testsOverAnyTransport } from './any_transport.mjs'
import { eventually, pause, sql, steal, stored } from './faults.mjs'
import { SUPERUSER, baileys, libsignal, pool } from './library.mjs'
import { postgrest } from './postgrest_stand_in.mjs'

const options = { baileys: await baileys(7), libsignal }
const db = pool()
const api = await postgrest()
const service = api.client({ role: api.roles.service })

const open = (companyId, more = {}, client = service) => useSupabaseAuthState(client, companyId, { ...options, ...more })
const numbered = (count, value = n => ({ n })) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`${n}.0`, value(n)]))

/** An account under a lease, and what onLeaseLost was told. */
async function leased(companyId, lease = {}, client = service) {
    const lost = []
    const auth = await open(companyId, { lease: { holder: 'test', ...lease }, onLeaseLost: error => lost.push(error) }, client)
    test.after(() => auth.close().catch(() => {}))
    return { ...auth, lost }
}

testsOverAnyTransport(companyId => open(companyId), options.baileys)

test('every operation is one request, however many keys it has', async () => {
    const { state, saveCreds, close } = await open('counted')
    const ids = Object.keys(numbered(1500))
    const costs = async (count, run) => assert.equal(await api.of(run), count)
    await costs(1, () => open('counted'))
    await costs(2, () => open('counted anew')) // read, and made
    await costs(1, () => state.keys.set({ session: numbered(1500), 'sender-key': { a: Buffer.from('b') }, tctoken: { gone: null } }))
    await costs(1, async () => assert.equal(Object.keys(await state.keys.get('session', ids)).length, 1500))
    await costs(1, () => saveCreds())
    await costs(1, () => state.keys.clear())
    await costs(0, () => close())
    assert.deepEqual(new Set(api.requests.map(({ role }) => role)), new Set([api.roles.service]))
})

test('under a lease the first get of 1,000 sessions asks nothing after opening', async () => {
    const before = await open('warm')
    const sessions = numbered(1000, n => ({ _sessions: { n, key: Buffer.from([n % 256]), name: '\0' }, version: 'v1' }))
    await before.state.keys.set({ session: sessions, 'sender-key': { s: Buffer.from('key') } })
    const { state, saveCreds, lease } = await leased('warm')
    assert.ok(lease.token > 0)
    assert.equal(await api.of(async () => {
        assert.deepEqual(await state.keys.get('session', Object.keys(sessions)), sessions)
        assert.deepEqual(await state.keys.get('sender-key', ['s', 'none']), { s: Buffer.from('key'), none: null })
    }), 0)
    assert.equal(await api.of(async () => {
        await state.keys.set({ session: { '1.0': { n: 'new' }, '2.0': null } })
        assert.deepEqual(await state.keys.get('session', ['1.0', '2.0']), { '1.0': { n: 'new' }, '2.0': null })
    }), 1)
    await saveCreds()
    assert.deepEqual(await stored('warm', 'session', '1.0'), { n: 'new' })
    assert.equal(await stored('warm', 'session', '2.0'), null)
})

test('renewals keep a lease alive, and close gives it back', async () => {
    const first = await leased('renewed', { ttlMs: 600 })
    await pause(1500)
    await first.state.keys.set({ session: { '1.0': { n: 1 } } })
    assert.deepEqual(first.lost, [])
    await assert.rejects(leased('renewed', { holder: 'other' }), error => {
        assert.ok(error instanceof LeaseLost)
        assert.match(error.detail, /"test" holds it until/)
        return true
    })
    await first.close()
    const second = await leased('renewed', { holder: 'other' })
    assert.deepEqual(await second.state.keys.get('session', ['1.0']), { '1.0': { n: 1 } })
})

test('a second process under the name of a live one is told that its own name holds the account', async () => {
    await leased('own name')
    await leased('own name')
    await assert.rejects(leased('own name'), error => {
        assert.ok(error instanceof LeaseLost)
        assert.equal(error.holder, 'test')
        assert.match(error.message, /; your own name holds it: is another process running under it\?$/)
        return true
    })
})

test('a stolen lease refuses the write, and then everything without a request', async () => {
    const { state, saveCreds, lost } = await leased('stolen')
    await steal('stolen')
    await assert.rejects(state.keys.set({ session: { '1.0': { n: 'stale' } } }), error => {
        assert.ok(error instanceof LeaseLost)
        assert.match(error.detail, /"thief" holds it/)
        return true
    })
    assert.equal(lost.length, 1)
    assert.equal(await api.of(async () => {
        await assert.rejects(state.keys.get('session', ['1.0']), LeaseLost)
        await assert.rejects(saveCreds(), LeaseLost)
    }), 0)
    assert.equal(await stored('stolen', 'session', '1.0'), null)
})

test('a stolen lease is noticed by the renewal', async () => {
    const { lost } = await leased('stolen quietly', { ttlMs: 900 })
    await steal('stolen quietly')
    await eventually(() => lost.length > 0, 1500)
    assert.equal(lost[0].code, 'WA002')
})

test('a signed-in user has the company of the claim, and is refused any other', async () => {
    await (await open('globex')).saveCreds()
    for (const claim of [{ company_id: 'acme' }, { app_metadata: { company_id: 'acme' } }]) {
        const user = api.signedIn(() => ({ role: api.roles.tenant, ...claim }))
        const { state, saveCreds, close } = await leased('acme', {}, user)
        await state.keys.set({ session: { '1.0': { n: 1 } } })
        assert.deepEqual(await state.keys.get('session', ['1.0']), { '1.0': { n: 1 } })
        await saveCreds()
        await close()
        for (const other of ['globex', 'nobody has heard of it']) {
            for (const lease of [undefined, { holder: 'intruder' }]) {
                await assert.rejects(open(other, { lease }, user), { code: '42501' })
            }
        }
    }
    const [{ count }] = await sql(`select count(*)::int from auth_list_companies() where company_id like 'nobody%'`)
    assert.equal(count, 0)
})

test('a token that names another company, none, or two is refused', async () => {
    let claims = { company_id: 'initech' }
    const user = api.signedIn(() => ({ role: api.roles.tenant, ...claims }))
    const { state, saveCreds } = await open('initech', {}, user)
    await state.keys.set({ session: { '1.0': { n: 1 } } })
    for (claims of [
        { company_id: 'globex' }, {}, { user_metadata: { company_id: 'initech' } }, { company_id: '' },
        { company_id: ['initech'] }, { company_id: 'initech', app_metadata: { company_id: 'globex' } }
    ]) {
        await assert.rejects(state.keys.get('session', ['1.0']), { code: '42501' })
        await assert.rejects(state.keys.set({ session: { '1.0': null } }), { code: '42501' })
        await assert.rejects(saveCreds(), { code: '42501' })
        await assert.rejects(state.keys.clear(), { code: '42501' })
        await assert.rejects(state.keys.listIds('session').next(), { code: '42501' })
        await assert.rejects(open('initech', {}, user), { code: '42501' })
    }
    claims = { company_id: 'initech' }
    assert.deepEqual(await state.keys.get('session', ['1.0']), { '1.0': { n: 1 } })
})

test('anon is refused', async () => {
    for (const anon of [api.client({ role: api.roles.anon }), api.client({}), api.client({ role: api.roles.anon, company_id: 'acme' })]) {
        assert.equal(await api.of(() => assert.rejects(open('acme', {}, anon), { code: '42501', status: 401 })), 1)
        await assert.rejects(open('acme', { lease: { holder: 'anon' } }, anon), { code: '42501' })
    }
})

test('a refusal is the exception that it is over a connection, with detail and hint', async () => {
    const caught = async run => {
        const { name, message, code, detail, hint, companyId } = await run().then(() => assert.fail('not refused'), error => error)
        return { name, message, code, detail, hint, companyId }
    }
    const { state } = await open('refused')
    state.creds.me = { id: '1:2@s.whatsapp.net' }
    const over = { pg: await useDatabaseAuthState(db, 'refused', options), supabase: await open('refused') }
    Object.assign(over.pg.state.creds, state.creds)
    await over.pg.saveCreds()
    const other = options.baileys.initAuthCreds()
    const refusals = {
        InvalidInput: [InvalidInput, 'WA001', ({ state }) => state.keys.set({ ['x'.repeat(129)]: { a: 1 } })],
        path: [InvalidInput, 'WA001', ({ state }) => state.keys.get('session', ['1.0', 'x'.repeat(1025)])],
        IdentityChangeRefused: [IdentityChangeRefused, 'WA005', auth => {
            Object.assign(auth.state.creds, other)
            return auth.saveCreds()
        }]
    }
    for (const [what, [kind, code, run]] of Object.entries(refusals)) {
        const [first, second] = [await caught(() => run(over.pg)), await caught(() => run(over.supabase))]
        assert.deepEqual(second, first, what)
        assert.equal(second.name, kind.name)
        assert.equal(second.code, code)
        assert.ok(second.detail && second.hint, what)
    }
})

for (const fault of ['lose', 'tear']) {
    test(`an answer that is lost after the commit (${fault}) is asked for again, and the result is right`, async () => {
        const company = `lost: ${fault}`
        const again = async (fn, run) => {
            api[fault](fn)
            const before = api.requests.length
            await run()
            const made = api.requests.slice(before).filter(request => request.fn === fn)
            assert.deepEqual(made.map(({ fault = false }) => fault), [true, false], fn)
            return made.map(({ answer }) => answer)
        }
        let auth
        await again('auth_init_creds', async () => {
            auth = await open(company)
        })
        const { state, saveCreds } = auth
        const [{ creds }] = await sql('select auth_get_creds($1) as creds', [company])
        assert.equal(creds.registrationId, state.creds.registrationId)
        await again('auth_get_creds', async () => assert.deepEqual((await open(company)).state.creds, state.creds))
        state.creds.accountSyncCounter = 7
        const [first, second] = await again('auth_save_creds', saveCreds)
        assert.equal(first, second, 'one version')
        await again('auth_set_keys', () => state.keys.set({ session: numbered(3) }))
        await again('auth_get_keys', async () => assert.deepEqual(await state.keys.get('session', ['0.0', 'x']), { '0.0': { n: 0 }, x: null }))
        await again('auth_list_keys', async () => assert.equal((await state.keys.listIds('session').next()).value, '0.0'))
        let held
        await again('auth_acquire_lease', async () => {
            held = await leased(company)
        })
        await held.state.keys.set({ session: { '0.0': { n: 'held' } } })
        await again('auth_clear_keys', () => held.state.keys.clear())
        assert.deepEqual(await held.state.keys.get('session', ['0.0']), { '0.0': null })
        await again('auth_release_lease', held.close)
        assert.equal(await stored(company, 'session', '0.0'), null)
        assert.equal((await open(company)).state.creds.accountSyncCounter, 7)
    })
}

test('writes keep their order when the answer of the first is lost', async () => {
    const { state } = await open('order after a loss')
    api.lose('auth_set_keys')
    await Promise.all([1, 2, 3].map(n => state.keys.set({ session: { '1.0': { n } } })))
    assert.deepEqual(await stored('order after a loss', 'session', '1.0'), { n: 3 })
})

// supabase-js turns an empty 404 into "no error, no data": a misrouted URL would read as an account without creds.
for (const [status, body] of [[404, ''], [200, ''], [204, ''], [200, '<html>S3CRET</html>'], [404, '<html></html>'], [500, 'oops']]) {
    test(`a gateway's ${status} ${JSON.stringify(body)} is an error, not "no creds" and not "no key"`, async () => {
        const company = `gateway ${status} ${body.length}`
        const { state, saveCreds } = await open(company)
        await state.keys.set({ session: { '1.0': { n: 1 } } })
        const { registrationId } = state.creds
        const refused = async (fn, run) => {
            api.instead(fn, status, body, 'text/html')
            await assert.rejects(run(), error => !/S3CRET/.test(error.message + error.details))
        }
        await refused('auth_get_keys', () => state.keys.get('session', ['1.0']))
        await refused('auth_set_keys', () => state.keys.set({ session: { '2.0': { n: 2 } } }))
        await refused('auth_save_creds', saveCreds)
        await refused('auth_clear_keys', () => state.keys.clear())
        await refused('auth_list_keys', () => state.keys.listIds('session').next())
        await refused('auth_acquire_lease', () => leased(company))
        await refused('auth_stats', () => leased(company))
        api.instead('auth_get_creds', status, body, 'text/html')
        const opened = await open(company).catch(error => error)
        if (opened instanceof Error) {
            assert.doesNotMatch(opened.message, /S3CRET/)
        } else { // 200 and nothing is what null looks like: the database then keeps the creds it has
            assert.equal(opened.state.creds.registrationId, registrationId)
        }
        api.instead('auth_get_creds', status, body, 'text/html')
        api.instead('auth_init_creds', status, body, 'text/html')
        await assert.rejects(open(company))
        api.mend()
        const again = await open(company)
        assert.equal(again.state.creds.registrationId, registrationId)
    })
}

test('a server that is down is an error, not "no creds"; one that comes back costs nothing', async () => {
    const own = await postgrest()
    const client = own.client({ role: own.roles.service })
    const { state, saveCreds } = await open('down', { retryMs: 5000 }, client)
    await own.stop()
    await assert.rejects(open('down', { retryMs: 200 }, client), /fetch failed/)
    await assert.rejects(open('down', { retryMs: 200, lease: { holder: 'test' } }, client), /fetch failed/)
    const written = Promise.all([state.keys.set({ session: { '1.0': { n: 1 } } }), saveCreds(), state.keys.get('session', ['1.0'])])
    await pause(300)
    await own.start()
    const [, , read] = await written
    assert.deepEqual(read, { '1.0': { n: 1 } })
})

test('a database that is down behind the server is an error, not "no creds"', async () => {
    const own = await postgrest({ database: 'postgresql://postgres@127.0.0.1:1/none' })
    const client = own.client({ role: own.roles.service })
    await assert.rejects(open('down', { retryMs: 200 }, client), { code: 'PGRST001', status: 503 })
    assert.ok(own.requests.length > 1)
})

test('another schema is chosen by the option, and one that is not exposed is an error', async () => {
    const name = `stand_in_${randomBytes(6).toString('hex')}`
    await sql(`create database ${name} template template0`)
    const database = new URL(SUPERUSER)
    database.pathname = `/${name}`
    const connection = new pg.Client({ connectionString: database.href })
    await connection.connect()
    try {
        await connection.query('set search_path = whatsapp')
        await connection.query(readFileSync(new URL('../../dist/pg_auth_state.sql', import.meta.url), 'utf8'))
        const own = await postgrest({ database: database.href, schemas: ['public', 'whatsapp'] })
        const client = own.client({ role: own.roles.service })
        const { state, saveCreds, close } = await open('elsewhere', { schema: 'whatsapp', lease: { holder: 'test' } }, client)
        await state.keys.set({ session: { '1.0': { n: 1 } } })
        await saveCreds()
        await close()
        const byClient = await open('elsewhere', {}, own.client({ role: own.roles.service }, { db: { schema: 'whatsapp' } }))
        assert.equal(byClient.state.creds.registrationId, state.creds.registrationId)
        assert.deepEqual(await byClient.state.keys.get('session', ['1.0']), { '1.0': { n: 1 } })
        await assert.rejects(open('elsewhere', {}, client), { code: 'PGRST202', status: 404 })
        await assert.rejects(open('elsewhere', { schema: 'hidden' }, client), { code: 'PGRST106', status: 406 })
    } finally {
        await connection.end()
        await sql(`drop database ${name} with (force)`)
    }
})

test('the stand-in itself never failed', () => {
    assert.deepEqual(api.requests.filter(({ failed }) => failed), [])
})
