/** libsignal's queue of jobs is shared by all accounts of a process: src/signal-jobs.js. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const program = fileURLToPath(new URL('several_accounts.mjs', import.meta.url))

/** What went wrong with which of the things that companies do, each at the moment that matters. */
async function lost(mode) {
    const { stdout } = await promisify(execFile)(process.execPath, [program, mode])
    return JSON.parse(stdout)
}

const bound = await lost('bound')
const unbound = await lost('unbound') // in a process of its own: binding is for the whole process

const LOST = {
    'a message is written': [/^the customer reads: No matching sessions found/], // its counter was used twice
    'a message is read': [/^the ratchet has moved: Missing expected rejection/],
    'a session is opened': [/^the session is new: .*'msg' !== 'pkmsg'/s],
    'a first message is read': [/^all of it goes together: .*'session pre-key identity-key'/s]
}

for (const what in LOST) {
    test(`nothing is lost when ${what} after another company's job, with bound jobs`, () => {
        assert.deepEqual(bound[what], [])
    })

    test(`without bound jobs it is lost when ${what} after another company's job`, () => {
        assert.equal(unbound[what].length, LOST[what].length, unbound[what].join('\n'))
        LOST[what].forEach((pattern, index) => assert.match(unbound[what][index], pattern))
    })
}

test('nothing is lost when three companies and their customer all talk at once, with bound jobs', () => {
    assert.deepEqual(bound['all talk at once'], [])
})
