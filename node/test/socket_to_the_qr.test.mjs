import { testLinking } from './linking.mjs'

await testLinking(7, 812)
