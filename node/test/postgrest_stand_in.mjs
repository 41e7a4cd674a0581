/**
 * A STAND-IN for PostgREST, as Supabase has it in front of the database: it is not PostgREST. It does what PostgREST
 * does with POST /rest/v1/rpc/<function> and a JSON object of named arguments, and nothing else: no tables, no GET,
 * no schema cache (the catalog is asked each time), no pool (one connection per request), and it VERIFIES NO TOKEN,
 * it believes the payload. What it answers follows PostgREST 12: https://docs.postgrest.org/en/v12/references/
 *
 * Like PostgREST it logs in as a NOINHERIT login that has auth_state_proxy, and becomes the role of the token for
 * one transaction: read only where the function is stable.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import { test } from 'node:test'
import pg from 'pg'
import { createClient } from '@supabase/supabase-js'
import { SUPERUSER } from './library.mjs'

const quoted = pg.escapeIdentifier
const encoded = value => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Nobody checks the signature here. @param {object} claims */
export const token = claims => `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded(claims)}.${encoded('unsigned')}`

/** An answer that is an error, as PostgREST words it. */
class Refusal extends Error {
    constructor(status, code, message, details = null, hint = null) {
        super(message)
        Object.assign(this, { status, body: { code, details, hint, message } })
    }
}

/** The HTTP status of an SQLSTATE: https://docs.postgrest.org/en/v12/references/errors.html */
function statusOf(code, isAnonymous) {
    const statuses = {
        42501: isAnonymous ? 401 : 403, 42883: 404, '42P01': 404, 23503: 409, 23505: 409, 25006: 405,
        '08': 503, '09': 500, '0L': 403, '0P': 403, 25: 500, 28: 403, '2D': 500, 38: 500, 39: 500, '3B': 500,
        40: 500, 53: 503, 54: 500, 55: 500, 57: 500, 58: 500, F0: 500, HV: 500, XX: 500
    }
    return statuses[code] ?? statuses[code.slice(0, 2)] ?? 400
}

/** One superuser's session, for as long as `run` takes. */
async function administering(run, url = SUPERUSER) {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
        return await run(client)
    } finally {
        await client.end()
    }
}

/** The roles of a platform, under names of their own; they go with the tests of the file. */
async function platform() {
    const prefix = `stand_in_${randomBytes(6).toString('hex')}`
    const roles = Object.fromEntries(['login', 'anon', 'tenant', 'service'].map(role => [role, `${prefix}_${role}`]))
    await administering(client => client.query(`
        create role ${roles.anon} nologin;
        create role ${roles.tenant} nologin;
        create role ${roles.service} nologin;
        create role ${roles.login} login noinherit;
        grant auth_state_tenant to ${roles.tenant};
        grant auth_state_service to ${roles.service};
        grant auth_state_proxy, ${roles.anon}, ${roles.tenant}, ${roles.service} to ${roles.login}`))
    return { roles, drop: () => administering(client => client.query(`drop role ${Object.values(roles).join(', ')}`)) }
}

/** Which of the functions of that name takes arguments of these names. */
async function overload(client, schema, fn, names) {
    const { rows } = await client.query(`
        select p.proretset as is_set, p.provolatile = 'v' as writes, p.pronargs - p.pronargdefaults as required,
               array(select a.name from unnest(p.proargnames[1:p.pronargs]) with ordinality a (name, n) order by a.n) as names,
               array(select format_type(a.type, null) from unnest(p.proargtypes::oid[]) with ordinality a (type, n) order by a.n) as types
          from pg_proc p
          join pg_namespace n on n.oid = p.pronamespace
         where n.nspname = $1 and p.proname = $2`, [schema, fn])
    const fitting = rows.filter(row => names.every(name => row.names.includes(name))
        && row.names.slice(0, row.required).every(name => names.includes(name)))
    const call = `${schema}.${fn}(${names.join(', ')})`
    if (!fitting.length) {
        throw new Refusal(404, 'PGRST202', `Could not find the function ${call} in the schema cache`)
    }
    if (fitting.length > 1) {
        throw new Refusal(300, 'PGRST203', `Could not choose the best candidate function: ${call}`)
    }
    return fitting[0]
}

/** The call as PostgREST makes it: the body is one parameter, and json_to_record gives each argument its type. */
function statement(schema, fn, names, found) {
    const columns = names.map(name => `${quoted(name)} ${found.types[found.names.indexOf(name)]}`).join(', ')
    const passed = names.map(name => `${quoted(name)} => given.${quoted(name)}`).join(', ')
    const given = names.length ? `json_to_record($1::json) as given (${columns})` : '(select $1::json) as given'
    const answer = found.is_set ? `coalesce(json_agg(called), '[]')` : 'to_json(called)'
    return `select ${answer}::text as answer from ${given}, lateral ${quoted(schema)}.${quoted(fn)}(${passed}) as called`
}

/**
 * A project's API, and clients of supabase-js for it; all of it ends with the tests of the file.
 * `database`: a superuser's connection string; `schemas`: those that are exposed, the first by default.
 */
export async function postgrest({ database = SUPERUSER, schemas = ['public'] } = {}) {
    const { roles, drop } = await platform()
    const login = new URL(database)
    login.username = roles.login
    login.password = ''
    /** What was asked: function, names of the arguments, role, what the database answered, and the HTTP status. */
    const requests = []
    /** What is to go wrong with the next call of a function: [function, (response, run) => …]. */
    const faults = []

    async function called(fn, text, claims, schema) {
        const role = claims.role ?? roles.anon
        const client = new pg.Client({ connectionString: login.href })
        client.on('error', () => {})
        try {
            await client.connect()
        } catch (error) {
            throw new Refusal(503, 'PGRST001', 'Database client error. Retrying the connection.', error.message)
        }
        try {
            const names = Object.keys(JSON.parse(text))
            const found = await overload(client, schema, fn, names)
            await client.query(found.writes ? 'begin' : 'begin read only')
            await client.query(`set local role ${quoted(role)}`)
            await client.query(
                `select set_config('search_path', $1, true), set_config('request.jwt.claims', $2, true),
                        set_config('request.method', 'POST', true), set_config('request.path', $3, true)`,
                [quoted(schema), JSON.stringify(claims), `/rpc/${fn}`]
            )
            const { rows: [row] } = await client.query(statement(schema, fn, names, found), [text])
            await client.query('commit')
            return row.answer ?? 'null'
        } catch (error) {
            if (!(error instanceof pg.DatabaseError)) {
                throw error instanceof Refusal ? error : new Refusal(503, 'PGRST001', 'Database client error.', error.message)
            }
            const { code, message, detail, hint } = error
            throw new Refusal(statusOf(code, role === roles.anon), code, message, detail, hint)
        } finally {
            await client.end().catch(() => {})
        }
    }

    async function answered(request, text, made) {
        const [, fn] = /^\/rest\/v1\/rpc\/(\w+)$/.exec(request.url) ?? []
        const schema = request.headers['content-profile'] ?? schemas[0]
        if (request.method !== 'POST' || !fn) {
            throw new Refusal(404, 'PGRST125', 'Invalid path specified in request URL')
        }
        let claims
        try {
            const [, bearer] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? []
            claims = bearer ? JSON.parse(Buffer.from(bearer.split('.')[1], 'base64url').toString()) : {}
        } catch {
            throw new Refusal(401, 'PGRST301', 'JWT could not be decoded')
        }
        Object.assign(made, { fn, names: Object.keys(JSON.parse(text)), role: claims.role ?? roles.anon })
        if (!schemas.includes(schema)) {
            throw new Refusal(406, 'PGRST106', `Invalid schema: ${schema}`, null, `Only the following schemas are exposed: ${schemas.join(', ')}`)
        }
        return called(fn, text, claims, schema)
    }

    const server = http.createServer(async (request, response) => {
        const made = {}
        requests.push(made)
        try {
            const chunks = await request.toArray()
            const send = (status, body, type = 'application/json; charset=utf-8') => {
                made.status = status
                response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }).end(body)
            }
            const run = async () => {
                made.answer = await answered(request, Buffer.concat(chunks).toString(), made)
                return made.answer
            }
            const at = faults.findIndex(([fn]) => request.url.endsWith(`/${fn}`))
            if (at >= 0) {
                const [[, fault]] = faults.splice(at, 1)
                made.fault = true
                await fault({ run, send, request, response })
                return
            }
            await run().then(body => send(200, body), error => {
                if (!(error instanceof Refusal)) {
                    throw error
                }
                send(error.status, JSON.stringify(error.body))
            })
        } catch (error) {
            made.failed = error // of the stand-in itself: it may not look like an answer
            response.destroy()
        }
    })

    async function start(port = 0) {
        server.listen(port, '127.0.0.1')
        await once(server, 'listening')
    }

    async function stop() {
        const closed = once(server, 'close')
        server.close()
        server.closeAllConnections()
        await closed
    }

    await start()
    const { port } = server.address()
    const url = `http://127.0.0.1:${port}`
    test.after(async () => {
        if (server.listening) {
            await stop()
        }
        await drop()
    })

    const auth = { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false }
    return {
        roles,
        requests,
        stop,
        start: () => start(port),
        /** supabase-js with a key, as a back end has it. */
        client: (claims, more) => createClient(url, token(claims), { auth, ...more }),
        /** supabase-js with the public key and the token of a user, which may change. @param {() => object} claims */
        signedIn: claims => createClient(url, token({ role: roles.anon }), { auth, accessToken: async () => token(claims()) }),
        /** How many requests `run` makes. */
        async of(run) {
            const before = requests.length
            await run()
            return requests.length - before
        },
        /** The next call of `fn` is executed and committed; then the connection breaks. */
        lose: fn => faults.push([fn, async ({ run, response }) => {
            await run()
            response.destroy()
        }]),
        /** The same, in the middle of the answer. */
        tear: fn => faults.push([fn, async ({ run, response }) => {
            const body = await run()
            response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) + 1 })
            response.write(body, () => setTimeout(() => response.destroy(), 20))
        }]),
        /** A gateway answers the next call of `fn` by itself. */
        instead: (fn, status, body, type) => faults.push([fn, ({ send }) => send(status, body, type)]),
        /** From now on nothing goes wrong any more. */
        mend: () => faults.splice(0)
    }
}
