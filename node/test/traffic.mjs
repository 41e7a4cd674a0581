/**
 * A process that writes accounts as fast as it can, or at each line of its input. What the database has acknowledged
 * it prints, one JSON object a line. A batch is 30 keys of one number, and creds of that number; every third deletes
 * half of the keys, which the next writes again. It ends with its input, and at once when a lease is lost.
 *
 *     node traffic.mjs '{"url": "postgresql://…", "companies": ["a"], "lease": {"holder": "me"}, "onDemand": false}'
 */
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import pg from 'pg'
import { useDatabaseAuthState } from '../src/index.js'

const { url, companies, lease, onDemand = false, first = 1, size = 30, retryMs = 60_000 } = JSON.parse(process.argv[2])
const libraries = createRequire(new URL('../../tests/baileys/package.json', import.meta.url))
const library = await import(libraries.resolve('baileys7'))
const libsignal = libraries('libsignal')
const pool = new pg.Pool({ connectionString: url, max: 4 })
pool.on('error', () => {})

const say = what => process.stdout.write(JSON.stringify(what) + '\n')
let ending = false

function batch(number) {
    const session = {}
    for (let n = 0; n < size; n++) {
        session[`${n}.0`] = number % 3 === 0 && n < size / 2 ? null : { batch: number, filler: 'x'.repeat(400) }
    }
    return { session, tctoken: { last: { batch: number } } }
}

async function write(company, auth, number) {
    try {
        // As Baileys does: nobody waits for the creds.
        auth.state.creds.accountSyncCounter = number
        const saved = auth.saveCreds()
        await Promise.all([saved, auth.state.keys.set(batch(number))])
        say({ company, acknowledged: number })
        return true
    } catch (error) {
        say({ company, refused: number, name: error.name, code: error.code })
        return false
    }
}

const input = createInterface({ input: process.stdin })
input.on('close', () => {
    ending = true
})

await Promise.all(companies.map(async company => {
    const auth = await useDatabaseAuthState(pool, company, {
        baileys: library, libsignal, lease, retryMs, onLeaseLost: error => say({ company, lost: error.code })
    })
    say({ company, open: auth.lease?.token ?? null })
    let number = first
    if (onDemand) {
        for await (const line of input) {
            if (!await write(company, auth, number++)) {
                break
            }
            void line
        }
    } else {
        while (!ending && await write(company, auth, number)) {
            number++
        }
    }
    await auth.close().catch(() => {})
}))
input.close()
process.stdin.destroy()
await pool.end()
