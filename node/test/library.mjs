/** What the tests share: the real Baileys of either major version, and databases that pytest made. */
import { createRequire } from 'node:module'
import { test } from 'node:test'
import pg from 'pg'

const libraries = createRequire(new URL('../../tests/baileys/package.json', import.meta.url))

/** `version`: 7, 617 or 6. All versions share one root of protobufjs: one per process. */
export async function baileys(version) {
    return import(libraries.resolve(`baileys${version}`))
}

/** The libsignal that all of them use here. */
export const libsignal = libraries('libsignal')

/** The least that a client can use as creds, as stored. @param {object} [more] */
export const usableCreds = more => ({ noiseKey: 'n', signedIdentityKey: 's', registrationId: 1, ...more })

/** A login with auth_state_service, and a superuser, in a database with pg-auth-state. */
export const SERVICE = process.env.SERVICE_URL
export const SUPERUSER = process.env.SUPERUSER_URL

/** A pool that ends with the tests of the file. */
export function pool(options = {}) {
    const made = new pg.Pool({ connectionString: SERVICE, max: 4, ...options })
    made.on('error', () => {}) // an idle connection may break; the next one is new
    test.after(() => made.end())
    return made
}
