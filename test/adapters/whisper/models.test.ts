import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { CATALOGUE } from '../../../lib/adapters/whisper/catalogue.ts'
import { fetchModel } from '../../../lib/adapters/whisper/fetch-model.ts'
import { readModelHeader } from '../../../lib/adapters/whisper/header.ts'
import { getModel, listModels, resolveModel } from '../../../lib/adapters/whisper/models.ts'
import { codeOf } from './support.ts'

describe('the models', () => {
  const before = { ...process.env }
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'models-test-'))
    process.env.VERBATIM_CACHE = join(folder, 'cache')
    process.env.VERBATIM_MODEL_URL = pathToFileURL(join(folder, 'mirror')).href
  })
  afterEach(async () => {
    process.env = { ...before }
    await rm(folder, { recursive: true })
  })

  it('are known by unique names, each with a size and a checksum of the right length', () => {
    expect(new Set(CATALOGUE.map((model) => model.name)).size).toBe(CATALOGUE.length)
    for (const { checksum, sizeBytes, fileName } of CATALOGUE) {
      expect(checksum.hex).toMatch(checksum.algorithm === 'sha1' ? /^[0-9a-f]{40}$/ : /^[0-9a-f]{64}$/)
      expect(sizeBytes).toBeGreaterThan(800_000)
      expect(fileName).toMatch(/^ggml-[\w.-]+\.bin$/)
    }
  })

  it('include the one that comes with the repository', async () => {
    const { name, path } = await resolveModel('mini')
    expect(name).toBe('mini')
    expect(await readModelHeader(path)).toEqual({ multilingual: true, languages: 99 })
    expect(await getModel('mini')).toEqual({ name, path })
    expect((await listModels())[0]).toMatchObject({ name: 'mini', installed: true })
  })

  it('can be files of the user, by their path', async () => {
    const path = join(folder, 'ggml-ours.bin')
    await writeFile(path, 'x')
    expect(await resolveModel(path)).toEqual({ name: 'ours', path })
    expect(await codeOf(resolveModel(join(folder, 'none.bin')))).toBe('model-missing')
    expect(await codeOf(resolveModel(folder))).toBe('model-missing')
  })

  it('say how to get what is missing', async () => {
    await expect(resolveModel('tiny')).rejects.toMatchObject({
      code: 'model-missing',
      hint: expect.stringContaining('verbatim model get tiny'),
    })
    await expect(resolveModel('gigantic')).rejects.toMatchObject({
      code: 'model-missing',
      hint: expect.stringContaining('verbatim model list'),
    })
    expect(await codeOf(getModel('gigantic'))).toBe('model-missing')
    expect(await codeOf(getModel('tiny'))).toBe('model-missing') // the mirror is empty
    expect((await listModels()).filter((model) => model.installed).map((model) => model.name)).toEqual([
      'mini',
    ])
  })

  it('are fetched once from a mirror, also by two at the same time', async () => {
    const content = Buffer.from('some model')
    const model = {
      ...CATALOGUE[0]!,
      sizeBytes: content.length,
      checksum: { algorithm: 'sha1', hex: createHash('sha1').update(content).digest('hex') },
    } as const
    await mkdir(join(folder, 'mirror'))
    await writeFile(join(folder, 'mirror', model.fileName), content)
    const paths = await Promise.all([fetchModel(model), fetchModel(model)])
    expect(await readFile(paths[0]!)).toEqual(content)
    await rm(join(folder, 'mirror'), { recursive: true })
    expect(await fetchModel(model)).toBe(paths[1])
  })

  it('tell English-only files from others, and other files from models', async () => {
    const head = (vocab: number) => {
      const bytes = Buffer.alloc(48)
      bytes.write('lmgg', 'latin1')
      const numbers = [vocab, 1500, 384, 6, 4, 448, 384, 6, 4, 80, 1]
      for (const [index, number] of numbers.entries()) bytes.writeInt32LE(number, 4 + 4 * index)
      return bytes
    }
    const path = join(folder, 'head.bin')
    const headerOf = async (bytes: Buffer) => {
      await writeFile(path, bytes)
      return await readModelHeader(path)
    }
    expect(await headerOf(head(51_864))).toEqual({ multilingual: false, languages: 1 })
    expect(await headerOf(head(51_866))).toEqual({ multilingual: true, languages: 100 })
    expect(await codeOf(headerOf(head(10)))).toBe('model-corrupt') // as in Silero's files
    expect(await codeOf(headerOf(head(51_865).subarray(0, 20)))).toBe('model-corrupt')
    expect(await codeOf(headerOf(Buffer.from('RIFF')))).toBe('model-corrupt')
  })
})
