import { copyFileSync } from 'node:fs'
import { getModel } from '../../lib/adapters/whisper/models.ts'

// model.ts <name> <file>: the model that an image carries, fetched and checked.

const [name, file] = process.argv.slice(2) as [string, string]
let percent = -10
const { path } = await getModel(name, {
  onProgress: ({ bytes, total }) => {
    const now = Math.floor((10 * bytes) / total) * 10
    if (now > percent) process.stdout.write(`model ${name}: ${now} %\n`)
    percent = Math.max(now, percent)
  },
})
copyFileSync(path, file)
