import assert from 'node:assert/strict'
import { test } from 'node:test'
import { useSupabaseAuthState } from '../src/index.js'
import { baileys, libsignal, usableCreds } from './library.mjs'

const options = { baileys: await baileys(7), libsignal }

/** supabase-js whose first answers are these, and then the creds of an account. */
const supabase = (...answers) => ({
    calls: 0,
    async rpc() {
        this.calls++
        return answers.shift() ?? { data: usableCreds(), error: null, status: 200 }
    }
})

test('a gateway without a server behind it is asked again', async () => {
    const client = supabase(
        { error: { message: 'TypeError: fetch failed', details: '', hint: '', code: '' }, status: 0 },
        { error: { message: '<html>502 Bad Gateway</html>' }, status: 502 },
        { error: { message: 'Could not connect with the database', code: 'PGRST001', details: null, hint: null }, status: 503 },
        { error: { message: 'Timed out acquiring connection from connection pool.', code: 'PGRST003' }, status: 504 }
    )
    const { state } = await useSupabaseAuthState(client, 'x', options)
    assert.equal(state.creds.registrationId, 1)
    assert.equal(client.calls, 5)
})

test('a refusal is not asked again', async () => {
    const client = supabase({ error: { message: 'no', code: '42501' }, status: 403 })
    await assert.rejects(useSupabaseAuthState(client, 'x', options), { code: '42501' })
    assert.equal(client.calls, 1)
})
