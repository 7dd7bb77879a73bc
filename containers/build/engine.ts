import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { ensureEngine } from '../../lib/adapters/whisper/build.ts'
import { cmakeFlags } from '../../lib/adapters/whisper/flags.ts'

// engine.ts <folder>: builds the engine into VERBATIM_CACHE, and copies the libraries into <folder> that the image which
// runs it will not have: those of CUDA, where it is a build for a GPU (cuda.cmake).

const missing = (await cmakeFlags()).filter((flag) => /_(AVX|AVX2|FMA|F16C|BMI2)=OFF$/.test(flag))
if (missing.length > 0) {
  // It would come out all the same, and 11 to 22 times slower wherever it runs (docs/adr/0009-images.md).
  const names = missing.map((flag) => flag.replace(/^-DGGML_|=OFF$/g, '')).join(', ')
  throw new Error(`This machine (or its emulation of one) lacks ${names}: build the image on a real x86-64.`)
}

const { serverPath, version } = await ensureEngine({
  onProgress: (line) => process.stdout.write(`engine: ${line}\n`),
})
execFileSync('strip', [serverPath])

const folder = process.argv[2]!
mkdirSync(folder, { recursive: true })
for (const line of execFileSync('ldd', [serverPath], { encoding: 'utf8' }).split('\n')) {
  const library = /=> (\S+)/.exec(line)?.[1]
  if (library && /lib(cublas|cublasLt|cudart)\./.test(library)) {
    copyFileSync(library, join(folder, basename(library)))
  }
}
process.stdout.write(`engine: whisper.cpp ${version}\n`)
