/** Creds that no client can use are an error, over both doors: never new creds, and never a state that holds them. */
import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DecryptionError, InvalidInput, UnsafeRequest, useAuthState } from '../src/index.js'
import { doors, encrypted, plantCreds } from './doors.mjs'
import { sql } from './faults.mjs'
import { encryption } from './jwe.mjs'
import { baileys, libsignal, pool, usableCreds } from './library.mjs'

const library = await baileys(7)
const db = pool()

const UNUSABLE = {
    'an empty object': [{}, /noiseKey.* missing/],
    'an object without noiseKey': [{ signedIdentityKey: 1 }, /noiseKey.* missing/],
    'an object without signedIdentityKey': [{ noiseKey: {}, me: { id: '1:2@s.whatsapp.net' } }, /signedIdentityKey.* missing/],
    'a noiseKey of null': [{ noiseKey: null, signedIdentityKey: {} }, /noiseKey.* missing/],
    'a signedIdentityKey of null': [{ noiseKey: {}, signedIdentityKey: null }, /signedIdentityKey.* missing/],
    'a string': ['S3CRET', /a string/],
    'an empty string': ['', /a string/],
    'a damaged JWE': ['eyJhbGciOiJkaXIifQ.S3CRET', /a string/],
    'creds that were encoded twice': [JSON.stringify(usableCreds({ advSecretKey: 'S3CRET' })), /encoded twice/],
    'a list': [[usableCreds()], /list|array/],
    'bytes': [{ type: 'Buffer', data: 'AQID' }, /bytes|noiseKey.* missing/],
    'a number': [1, /a (JSON )?number/],
    'null': [null, /null/]
}

/** By the database of what it can read, by this package of what was encrypted. */
const refusal = (companyId, detail) => error => {
    assert.ok(error instanceof UnsafeRequest)
    assert.deepEqual([error.code, error.companyId], ['WA006', companyId])
    assert.match(error.detail, detail)
    assert.match(error.hint, /auth_restore_creds/)
    assert.doesNotMatch(`${error.message} ${error.detail} ${error.hint}`, /S3CRET/)
    return true
}
const storedCreds = async companyId => (await sql('select creds from whatsapp_auth where company_id = $1', [companyId]))[0].creds

for (const [over, { open, calls }] of Object.entries(await doors(library))) {
    for (const [what, [creds, detail]] of Object.entries(UNUSABLE)) {
        test(`over ${over}, stored creds that are ${what} are an error, with a lease and without, and stay as they are`, async () => {
            const companyId = `${over} ${what}`
            await plantCreds(companyId, creds)
            for (const lease of [undefined, { holder: 'test' }]) {
                await assert.rejects(open(companyId, { lease }), refusal(companyId, detail))
            }
            await assert.rejects(open(companyId, { encryption }), refusal(companyId, detail))
            assert.deepEqual(await storedCreds(companyId), creds)
            assert.deepEqual(await sql('select 1 from auth_list_leases() where company_id = $1 and is_live', [companyId]), [])
        })

        test(`over ${over}, encrypted creds that are ${what} are an error, too`, async () => {
            const companyId = `${over} encrypted ${what}`
            const stored = await encrypted(companyId, 'creds', null, JSON.stringify(creds))
            await plantCreds(companyId, stored)
            await assert.rejects(open(companyId, { encryption }), refusal(companyId, detail))
            await assert.rejects(open(companyId), DecryptionError)
            assert.equal(await storedCreds(companyId), stored)
        })
    }

    test(`over ${over}, the least that a client can use is opened and saved`, async () => {
        const companyId = `${over} usable`
        await plantCreds(companyId, usableCreds())
        const { state, saveCreds } = await open(companyId)
        assert.deepEqual(state.creds, usableCreds())
        state.creds.registrationId = 2
        await saveCreds()
        assert.deepEqual(await storedCreds(companyId), usableCreds({ registrationId: 2 }))
    })

    test(`over ${over}, a JWE of another format is a DecryptionError, not missing creds`, async () => {
        const companyId = `${over} another format`
        const header = Buffer.from('{"alg":"A256KW","enc":"A256GCM"}').toString('base64url')
        await plantCreds(companyId, `${header}.AAAA.AAAA.AAAA.AAAA`)
        for (const more of [{}, { encryption }]) {
            await assert.rejects(open(companyId, more), { name: 'DecryptionError', keyType: 'creds', keyId: null })
        }
    })

    test(`over ${over}, creds that lost a key are refused before anything is sent, and the stored ones stay`, async () => {
        for (const [how, options] of Object.entries({ plain: {}, encrypted: { encryption }, leased: { lease: { holder: 'test' } } })) {
            const companyId = `${over} lost ${how}`
            const { state, saveCreds, close } = await open(companyId, options)
            const before = await storedCreds(companyId)
            for (const name of ['noiseKey', 'signedIdentityKey']) {
                const { [name]: key } = state.creds
                for (const lose of [creds => delete creds[name], creds => { creds[name] = null }, creds => { creds[name] = undefined }]) {
                    lose(state.creds)
                    assert.equal(await calls.of(() => assert.rejects(saveCreds(), error => {
                        assert.ok(error instanceof InvalidInput)
                        assert.deepEqual([error.code, error.companyId, error.detail], ['WA001', companyId, `creds.${name}: it is missing`])
                        return true
                    })), 0)
                    state.creds[name] = key
                }
            }
            assert.deepEqual(await storedCreds(companyId), before)
            await saveCreds()
            await close()
        }
    })

    test(`over ${over}, creds that became unusable while the account was open end no read of a key`, async () => {
        const companyId = `${over} became unusable`
        const { state } = await open(companyId)
        await state.keys.set({ session: { '1.0': { n: 1 } } })
        await plantCreds(companyId, {})
        assert.deepEqual(await state.keys.get('session', ['1.0']), { '1.0': { n: 1 } })
    })
}

test('by the flag, too, unusable creds in the database are an error and no reason to pair anew', async () => {
    await plantCreds('flag', {})
    const source = {
        folder: join(tmpdir(), 'none'), pool: db, companyId: 'flag', environment: { USE_DATABASE_AUTH_STATE: 'true' },
        baileys: library, libsignal
    }
    await assert.rejects(useAuthState(source), refusal('flag', /noiseKey/))
    assert.deepEqual(await storedCreds('flag'), {})
})
