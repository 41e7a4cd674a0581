/** What the tests of faults share: calls that are counted, a network that breaks when told to, processes. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { SERVICE, SUPERUSER, pool } from './library.mjs'

export const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

/** @param {() => any} condition */
export async function eventually(condition, ms = 10_000) {
    const until = performance.now() + ms
    while (!await condition()) {
        if (performance.now() > until) {
            throw new Error(`not within ${ms} ms: ${condition}`)
        }
        await pause(10)
    }
}

/** The same pool, with a list of the functions called over it and what was passed to them. */
export function counted(db) {
    const calls = []
    return {
        calls,
        /** How many calls `run` makes. */
        async of(run) {
            const before = calls.length
            await run()
            return calls.length - before
        },
        query(config) {
            calls.push({ fn: /\bauth_\w+/.exec(config.text)[0], values: config.values })
            return db.query(config)
        }
    }
}

const administrators = pool({ connectionString: SUPERUSER })

/** Statements of a superuser. */
export function sql(text, values) {
    return administrators.query(text, values).then(({ rows }) => rows)
}

/** The value as the database has it. */
export async function stored(companyId, type, id) {
    const [{ keys }] = await sql('select auth_get_keys($1, $2, $3::text[]) as keys', [companyId, type, [id]])
    return keys[id]
}

/** Takes the account's lease away, as another process does. */
export async function steal(companyId, holder = 'thief') {
    const [lease] = await sql('select * from auth_acquire_lease($1, $2, p_steal => true)', [companyId, holder])
    return Number(lease.token)
}

/** Holds the lock of an account until it is called: another session that is slow. */
export async function busy(companyId) {
    const client = await administrators.connect()
    await client.query('begin')
    await client.query('select pg_advisory_xact_lock(_lock_key($1))', [companyId])
    return async () => {
        await client.query('rollback')
        client.release()
    }
}

const READY = Buffer.from('Z\0\0\0\x05I', 'latin1')

/**
 * A network between client and server. `cut(marker)` breaks the connection on which that text is sent next: once
 * the server has done the work, before its answer arrives. `drop(marker)` breaks it before the server has heard.
 * `freeze()` lets nothing through, and breaks nothing.
 */
export async function network(url = SERVICE) {
    const target = new URL(url)
    const [port, host] = [Number(target.port), target.hostname]
    const sockets = new Set()
    const after = []
    const before = []
    let frozen = false
    let cuts = 0
    const server = net.createServer(client => {
        const upstream = net.connect(port, host)
        const ends = () => {
            client.destroy()
            upstream.destroy()
        }
        let cutting = false
        let tail = Buffer.alloc(0)
        for (const socket of [client, upstream]) {
            sockets.add(socket)
            socket.setNoDelay(true)
            socket.on('error', ends)
            socket.on('close', () => {
                sockets.delete(socket)
                ends()
            })
        }
        client.on('data', data => {
            const taken = list => {
                const found = list.findIndex(marker => data.includes(marker))
                return found >= 0 && list.splice(found, 1).length > 0
            }
            if (frozen) {
                return
            }
            if (taken(before)) {
                cuts++
                ends()
                return
            }
            cutting ||= taken(after)
            upstream.write(data)
        })
        upstream.on('data', data => {
            if (frozen) {
                return
            }
            if (!cutting) {
                client.write(data)
                return
            }
            tail = Buffer.concat([tail, data]).subarray(-READY.length)
            if (tail.equals(READY)) {
                cuts++
                ends()
            }
        })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    target.hostname = '127.0.0.1'
    target.port = String(server.address().port)
    test.after(() => {
        sockets.forEach(socket => socket.destroy())
        server.close()
    })
    return {
        url: target.href,
        get cuts() {
            return cuts
        },
        cut: marker => after.push(marker),
        drop: marker => before.push(marker),
        freeze() {
            frozen = true
        },
        /** What was sent meanwhile is lost, with the connections. */
        thaw() {
            frozen = false
            sockets.forEach(socket => socket.destroy())
        }
    }
}

/** A process of its own that writes: traffic.mjs. It ends with the tests of the file. */
export function traffic(options) {
    const child = spawn(process.execPath, [new URL('traffic.mjs', import.meta.url).pathname, JSON.stringify(options)], {
        stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, NODE_TEST_CONTEXT: undefined }
    })
    const lines = []
    createInterface({ input: child.stdout }).on('line', line => lines.push(JSON.parse(line)))
    test.after(() => child.kill('SIGKILL'))
    return { child, lines, ended: once(child, 'close') }
}
