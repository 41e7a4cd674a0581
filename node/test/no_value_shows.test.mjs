/** Whoever raises an error, it shows no value: over both doors, on a server that quotes parameters in its errors. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { runInNewContext } from 'node:vm'
import pg from 'pg'
import { InvalidInput, LeaseLost, useDatabaseAuthState, useSupabaseAuthState } from '../src/index.js'
import { busy, eventually, sql, steal } from './faults.mjs'
import { SERVICE, baileys, libsignal, pool } from './library.mjs'
import { postgrest } from './postgrest_stand_in.mjs'

const options = { baileys: await baileys(7), libsignal, retryMs: 0 }
const MARKER = 'S3CRET'
const FORBIDDEN = new Set([
    'where', 'internalQuery', 'internalPosition', 'position', 'query', 'parameters', 'params', 'values', 'driverError', 'sourceError'
])
await sql(`do $$ begin execute format('alter database %I set log_parameter_max_length_on_error = -1', current_database()); end $$`)
await sql(`do $$ begin execute format('alter database %I set log_parameter_max_length = -1', current_database()); end $$`)

/** All that a program may print of it, and all that it may look at. */
function assertShowsNothing(error) {
    const printed = [inspect(error, { showHidden: true, depth: 9 }), JSON.stringify(error), String(error), error.stack, inspect(error)]
    for (const text of printed) {
        assert.ok(!text?.includes(MARKER), 'the error shows a value') // not what it shows
    }
    for (let each = error, depth = 0; each && depth < 9; each = each.cause, depth++) {
        for (const one of [each, ...each.errors ?? []]) {
            assert.deepEqual(Reflect.ownKeys(one).filter(name => FORBIDDEN.has(name)), [])
        }
    }
}

/** Both calls that carry values are refused so, and neither shows one. @param {(auth: any) => void | Promise<void>} [before] each call */
async function refused(auth, expected, before = () => {}) {
    auth.state.creds.advSecretKey = MARKER
    const calls = [
        () => auth.state.keys.set({ session: { '1.0': { _sessions: { a: MARKER }, n: MARKER, list: [MARKER] } } }),
        () => auth.saveCreds()
    ]
    for (const call of calls) {
        const done = call()
        done.catch(() => {})
        await before(auth)
        await assert.rejects(done, error => {
            assertShowsNothing(error)
            for (const [name, value] of Object.entries(expected)) {
                assert.deepEqual(error[name], value, name)
            }
            return true
        })
    }
}

/** An account that was opened over a good pool, and goes on over another. */
async function over(companyId, bad, more) {
    let current = pool()
    const auth = await useDatabaseAuthState({ query: config => current.query(config) }, companyId, { ...options, ...more })
    current = bad
    return auth
}

/** The same text of JSON, spoiled on its way. */
const spoiling = spoil => {
    const db = pool()
    return { query: config => db.query({ ...config, values: config.values.map(value => typeof value === 'string' ? spoil(value) : value) }) }
}

/** While another session holds the lock of the account. */
async function whileBusy(companyId, run) {
    const free = await busy(companyId)
    try {
        await run()
    } finally {
        await free()
    }
}

test('the server quotes parameters in its errors', async () => {
    await assert.rejects(pool().query({ text: 'select auth_set_keys($1, $2::jsonb)', values: ['a', `{"": {"x": "${MARKER}"}}`] }), error => {
        assert.match(error.where, new RegExp(MARKER))
        return true
    })
})

test('an account that stays busy', async () => {
    const auth = await over('busy', pool({ options: '-c auth_state.lock_wait=50ms' }))
    await whileBusy('busy', () => refused(auth, { code: '55P03', detail: 'Another transaction is writing. Nothing was written here.' }))
})

test('a statement that takes too long', async () => {
    const auth = await over('slow', pool({ options: '-c statement_timeout=100ms' }))
    await whileBusy('slow', () => refused(auth, { code: '57014' }))
})

test('a connection that an administrator ends', async () => {
    const auth = await over('ended', pool())
    await whileBusy('ended', () => refused(auth, { code: '57P01' }, () => eventually(async () => (await sql(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`)).length)))
})

/** A pool of a login of its own, which is gone afterwards. @param {(db: any, role: string) => Promise<void>} run */
async function asLogin(run) {
    const role = `shows_nothing_${randomBytes(6).toString('hex')}`
    await sql(`create role ${role} login`)
    const url = new URL(SERVICE)
    url.username = role
    const db = new pg.Pool({ connectionString: url.href, max: 1 })
    try {
        await run(db, role)
    } finally {
        await db.end()
        await sql(`drop role ${role}`)
    }
}

test('a login without the right', () => asLogin(async db => {
    await refused(await over('forbidden', db), { code: '42501' })
}))

test('a login that is bound to another company', () => asLogin(async (db, role) => {
    await sql('select auth_bind_role($1, $2)', [role, 'another'])
    await refused(await over('not mine', db), { code: '42501' })
}))

test('a server that takes no writes', async () => {
    await refused(await over('read only', pool({ options: '-c default_transaction_read_only=on' })), { code: '25006' })
})

test('an isolation level that is refused', async () => {
    await refused(await over('serializable', pool({ options: '-c default_transaction_isolation=serializable' })), { code: 'WA006' })
})

test('JSON that the server cannot read', async () => {
    const auth = await over('syntax', spoiling(value => value.startsWith('{') ? `${value}${MARKER}` : value))
    await refused(auth, { code: '22P02', constructor: InvalidInput })
})

test('JSON that jsonb refuses', async () => {
    const auth = await over('escape', spoiling(value => value.replaceAll(`"${MARKER}"`, `"${MARKER}\\u0000"`)))
    await refused(auth, { code: '22P05', constructor: InvalidInput })
})

test('a number that jsonb refuses', async () => {
    const auth = await over('number', spoiling(value => value.replaceAll(`"${MARKER}"`, '1e999999')))
    await refused(auth, { constructor: InvalidInput, code: '22003' })
})

test('a token that is no number', async () => {
    const db = pool()
    const bad = { query: config => db.query({ ...config, values: config.values.map(value => value ?? MARKER) }) }
    await refused(await over('token', bad), { code: '22P02', constructor: InvalidInput })
})

/** With a table of somebody else's doing. @param {string[]} setUp statements for whatsapp_keys and whatsapp_auth, %s */
async function spoiled(statements, run) {
    for (const [table, column] of [['whatsapp_keys', 'value'], ['whatsapp_auth', 'creds']]) {
        for (const statement of statements) {
            await sql(statement.replaceAll('%t', table).replaceAll('%c', column))
        }
    }
    try {
        await run()
    } finally {
        await sql('alter table whatsapp_keys drop constraint if exists foreign_check')
        await sql('alter table whatsapp_auth drop constraint if exists foreign_check')
        await sql('drop function if exists foreign_trigger() cascade')
    }
}

const CHECK = [`alter table %t add constraint foreign_check check (%c::text not like '%${MARKER}%') not valid`]
const trigger = body => [
    `create or replace function foreign_trigger() returns trigger language plpgsql as $$ begin ${body} return new; end $$`,
    'create or replace trigger foreign_trigger before insert or update on %t for each row execute function foreign_trigger()'
]
const FOREIGN = {
    "a check of the table's administrator": [CHECK, { code: '23514', constraint: 'foreign_check' }],
    'a trigger that casts what it finds': [trigger("perform (to_jsonb(new) #>> '{value,n}')::int, (to_jsonb(new) #>> '{creds,advSecretKey}')::int;"), { code: '22P02' }],
    'a trigger that raises the row': [trigger("raise exception 'no: %', to_jsonb(new) using detail = new::text, hint = to_jsonb(new)::text;"), { code: 'P0001' }],
    'a trigger that raises the row under a code of ours': [
        trigger("raise exception 'no: %', new using errcode = '42501', detail = to_jsonb(new)::text;"), { code: '42501' }
    ]
}

for (const [who, [statements, expected]] of Object.entries(FOREIGN)) {
    test(who, async () => {
        const auth = await over(who, pool())
        await spoiled(statements, () => refused(auth, expected))
    })
}

const silent = () => {
    const error = new Error('the outer')
    const inner = Object.assign(new Error('the inner'), { where: MARKER, internalQuery: MARKER, code: '57014' })
    Object.defineProperty(error, 'cause', { value: inner })
    Object.defineProperty(error, 'hidden', { value: MARKER })
    error[Symbol('of the driver')] = { values: [MARKER] }
    inner.cause = error
    return Object.assign(error, { query: MARKER, parameters: [MARKER], code: 'XX000', where: MARKER, position: '1' })
}
const DRIVERS = {
    'a driver that keeps the query': [silent, { code: 'XX000', message: 'the outer' }],
    'a driver whose errors cannot be changed': [() => Object.freeze(silent()), { code: 'XX000' }],
    'a driver that prints the parameters': [
        values => Object.assign(new Error(`Failed query: select\nparams: ${values.join()}`), { code: 'E1', cause: silent() }), { code: 'E1' }
    ],
    'a driver that prints them escaped': [values => new Error(`failed: ${JSON.stringify(values)}`), {}],
    'several errors in one': [() => new AggregateError([silent(), new Error(`{"n":"${MARKER}"}`), MARKER], 'all failed'), { message: 'all failed' }],
    'a parser that quotes what it cannot read': [() => {
        try {
            return JSON.parse(`{"n": ${MARKER}}`)
        } catch (error) {
            return error
        }
    }, {}],
    'a time limit of fetch': [() => new DOMException('timed out', 'TimeoutError'), { name: 'TimeoutError', message: 'timed out' }],
    'an error of another realm': [
        () => Object.assign(runInNewContext('new Error("of another realm")'), { code: 'E2', where: MARKER }), { code: 'E2', message: 'of another realm' }
    ],
    'what is no error at all': [values => values.join(), {}],
    'a cause that is no error': [() => Object.assign(new Error('x'), { cause: MARKER }), { message: 'x', cause: undefined }]
}

for (const [who, [make, expected]] of Object.entries(DRIVERS)) {
    test(who, async () => {
        const bad = { query: ({ values }) => Promise.reject(make(values.map(value => `${value ?? ''}${MARKER}`.slice(-60_000)))) }
        await refused(await over(who, bad), expected)
    })
}

test('an answer that is no JSON', async () => {
    const auth = await over('answer', { query: async () => ({ rows: [{ value: `{"n": ${MARKER}}` }] }) })
    await assert.rejects(auth.state.keys.get('session', ['1.0']), error => {
        assertShowsNothing(error)
        return true
    })
})

test('the error of a lease that was lost', async () => {
    const lost = []
    const auth = await over('lease', pool(), { lease: { holder: 'test' }, onLeaseLost: error => lost.push(error) })
    await steal('lease')
    await refused(auth, { code: 'WA002', constructor: LeaseLost })
    assertShowsNothing(lost[0])
    assertShowsNothing(auth.lease.lost)
})

test('creds that are made at opening', async () => {
    const library = { ...options.baileys, initAuthCreds: () => ({ ...options.baileys.initAuthCreds(), advSecretKey: MARKER }) }
    await spoiled(CHECK, () => assert.rejects(useDatabaseAuthState(pool(), 'made', { ...options, baileys: library }), error => {
        assertShowsNothing(error)
        assert.equal(error.code, '23514')
        return true
    }))
})

test("what the driver's error says beside values stays: code, message, hint, names, and whose it is", async () => {
    const nowhere = pool({ connectionString: 'postgresql://app@127.0.0.1:1/none' })
    await assert.rejects(useDatabaseAuthState(nowhere, 'x', options), error => {
        assert.deepEqual([error.code, error.syscall, error.port], ['ECONNREFUSED', 'connect', 1])
        assert.match(error.message, /ECONNREFUSED 127.0.0.1:1/)
        return true
    })
    const short = pool({ options: '-c auth_state.lock_wait=50ms' })
    const auth = await over('kept', short)
    await whileBusy('kept', async () => {
        const own = await short.query(`select auth_set_keys('kept', '{}')`).catch(error => error)
        await assert.rejects(auth.saveCreds(), error => {
            assert.deepEqual([error.message, error.hint, error.severity], [own.message, own.hint, 'ERROR'])
            assert.ok(error instanceof own.constructor)
            return true
        })
    })
})

const api = await postgrest()
const opened = companyId => useSupabaseAuthState(api.client({ role: api.roles.service }), companyId, options)

for (const [who, [statements, { code }]] of Object.entries(FOREIGN)) {
    test(`over Supabase: ${who}`, async () => {
        const auth = await opened(`supabase ${who}`)
        await spoiled(statements, () => refused(auth, { code }))
    })
}

const ECHOES = {
    'a page of a gateway that quotes the request': [400, `<html>Request blocked: {"p_creds":{"advSecretKey":"${MARKER}"}}</html>`],
    'a page that quotes it as HTML': [413, `<pre>{&quot;p_data&quot;:{&quot;n&quot;:&quot;${MARKER}&quot;}}</pre>`],
    'a JSON answer that quotes it': [400, JSON.stringify({ message: `bad: {"n":"${MARKER}"}`, details: MARKER, hint: `{"n":"${MARKER}"}` })],
    "PostgREST's own, of JSON": [400, JSON.stringify({
        code: '22P02', message: `invalid input syntax for type json: "${MARKER}"`, details: `Token "${MARKER}" is invalid.`, hint: null
    })],
    'an answer that is no JSON': [200, `{"n": ${MARKER}}`]
}
for (const [who, [status, body]] of Object.entries(ECHOES)) {
    test(`over Supabase: ${who}`, async () => {
        const auth = await opened(`supabase ${who}`)
        for (const fn of ['auth_set_keys', 'auth_save_creds']) {
            api.instead(fn, status, body, 'text/html')
        }
        await refused(auth, {})
        assert.equal(api.requests.filter(({ fault }) => fault).length % 2, 0)
    })
}

test('over Supabase, what a gateway says of the key stays', async () => {
    const auth = await opened('supabase key')
    const hint = 'Double check your Supabase `anon` or `service_role` API key.'
    api.instead('auth_save_creds', 401, JSON.stringify({ message: 'Invalid API key', hint }), 'application/json')
    await assert.rejects(auth.saveCreds(), { message: 'Invalid API key', hint, status: 401 })
})


