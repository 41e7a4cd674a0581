import { testSessions } from './scenario.mjs'

await testSessions('6')
