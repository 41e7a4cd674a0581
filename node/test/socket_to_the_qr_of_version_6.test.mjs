import { testLinking } from './linking.mjs'

await testLinking(6, 30)
