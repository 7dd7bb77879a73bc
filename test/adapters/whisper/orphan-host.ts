import { miniEngine } from '../../support/engine.ts'

// A program of its own for server.test.ts, which kills it: starts an engine, says its process id, and waits.
const engine = await miniEngine()
await engine.start()
process.stdout.write(`${JSON.stringify(engine.pids())}\n`)
setInterval(() => {}, 1000)
