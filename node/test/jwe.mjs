/** The keys of tests/vectors, and what is encrypted read with bare AES-GCM, past our own client and its library. */
import { createDecipheriv } from 'node:crypto'
import { readFileSync } from 'node:fs'

export const vectors = JSON.parse(readFileSync(new URL('../../tests/vectors/encryption.json', import.meta.url), 'utf8'))

/** As the option `encryption`. */
export const encryption = { keys: vectors.keys, current: vectors.current }

const bytes = text => Buffer.from(text, 'base64url')

/** Header and plain text of a JWE. */
export function opened(sealed) {
    const [header, none, nonce, ciphertext, tag] = sealed.split('.')
    const members = JSON.parse(bytes(header))
    if (none !== '') {
        throw new Error('it has an encrypted key')
    }
    const key = bytes(vectors.keys.find(({ kid }) => kid === members.kid).k)
    const cipher = createDecipheriv('aes-256-gcm', key, bytes(nonce)).setAAD(Buffer.from(header)).setAuthTag(bytes(tag))
    return { header: members, text: Buffer.concat([cipher.update(bytes(ciphertext)), cipher.final()]).toString() }
}
