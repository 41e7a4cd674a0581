/**
 * Two stores that send their statements from the client, over a table with the columns of the proposal: an upsert
 * of many rows for a batch and a delete for each null; and a statement per key, as today's SQL adapters do.
 */
import { BufferJSON, initAuthCreds, proto } from 'baileys'

const TABLES = `
    create table if not exists proposed_auth (
        company_id text primary key, creds jsonb not null, updated_at timestamptz not null default now());
    create table if not exists proposed_keys (
        company_id text, key_type text, key_id text, value jsonb not null,
        updated_at timestamptz not null default now(), primary key (company_id, key_type, key_id))`

const UPSERT = 'on conflict (company_id, key_type, key_id) do update set value = excluded.value, updated_at = now()'
const DELETE = 'delete from proposed_keys where company_id = $1 and key_type = $2 and key_id = $3'

const encode = value => JSON.stringify(value, BufferJSON.replacer)
const decode = (type, text) => {
    const value = JSON.parse(text, BufferJSON.reviver)
    return type === 'app-state-sync-key' ? proto.Message.AppStateSyncKeyData.fromObject(value) : value
}

/** @type {Promise<any> | undefined} */
let made

/** @param {import('pg').Pool} pool @param {string} company @param {{get: any, set: any}} keys */
async function use(pool, company, keys) {
    await (made ??= pool.query(TABLES))
    const { rows } = await pool.query('select creds::text from proposed_auth where company_id = $1', [company])
    const creds = rows.length ? decode('creds', rows[0].creds) : initAuthCreds()
    const saveCreds = () => pool.query(
        'insert into proposed_auth (company_id, creds) values ($1, $2)'
        + ' on conflict (company_id) do update set creds = excluded.creds, updated_at = now()',
        [company, encode(creds)]
    )
    return { state: { creds, keys }, saveCreds }
}

const entries = data => Object.entries(data).flatMap(
    ([type, values]) => Object.entries(values ?? {}).map(([id, value]) => ({ type, id, value }))
)

/** @param {import('pg').Pool} pool @param {string} company */
export function useProposedAuthState(pool, company) {
    return use(pool, company, {
        async get(type, ids) {
            const { rows } = await pool.query(
                'select key_id, value::text from proposed_keys where company_id = $1 and key_type = $2 and key_id = any($3)',
                [company, type, ids]
            )
            const found = Object.fromEntries(ids.map(id => [id, null]))
            for (const { key_id: id, value } of rows) {
                found[id] = decode(type, value)
            }
            return found
        },
        async set(data) {
            const all = entries(data)
            const kept = all.filter(({ value }) => value)
            const statements = all.filter(({ value }) => !value).map(({ type, id }) => pool.query(DELETE, [company, type, id]))
            if (kept.length) {
                const rows = kept.map((_, number) => `($1, $${3 * number + 2}, $${3 * number + 3}, $${3 * number + 4})`)
                statements.push(pool.query(
                    `insert into proposed_keys (company_id, key_type, key_id, value) values ${rows.join(', ')} ${UPSERT}`,
                    [company, ...kept.flatMap(({ type, id, value }) => [type, id, encode(value)])]
                ))
            }
            await Promise.all(statements)
        }
    })
}

/** @param {import('pg').Pool} pool @param {string} company */
export function usePerKeyAuthState(pool, company) {
    return use(pool, company, {
        async get(type, ids) {
            const found = await Promise.all(ids.map(async id => {
                const { rows } = await pool.query(
                    'select value::text from proposed_keys where company_id = $1 and key_type = $2 and key_id = $3',
                    [company, type, id]
                )
                return [id, rows.length ? decode(type, rows[0].value) : null]
            }))
            return Object.fromEntries(found)
        },
        async set(data) {
            await Promise.all(entries(data).map(({ type, id, value }) => value
                ? pool.query(
                    `insert into proposed_keys (company_id, key_type, key_id, value) values ($1, $2, $3, $4) ${UPSERT}`,
                    [company, type, id, encode(value)]
                )
                : pool.query(DELETE, [company, type, id])))
        }
    })
}
