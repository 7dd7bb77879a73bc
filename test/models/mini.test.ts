import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { readReference, type SampleName, samplePath } from '../support/reference.ts'

const MODEL = new URL('../../models/mini/', import.meta.url)
const read = (path: string): Buffer => readFileSync(fileURLToPath(new URL(path, MODEL)))

describe('the model file', () => {
  const file = read('ggml-mini-q5_0.bin')

  it('is the one that was measured', () => {
    expect(createHash('sha256').update(file).digest('hex')).toBe(
      '54204d895b4f9a5deea26e1f484488d86f0d74dc33fbbe0d5c5a8978795ca95a',
    )
  })

  it('has the shape that its model card states', () => {
    const header = Array.from({ length: 11 }, (_, i) => file.readInt32LE(i * 4))
    const magic = 0x67676d6c
    const [vocabulary, frames, width, heads, layers, text, mels] = [51_865, 1500, 128, 2, 3, 448, 80]
    expect(header).toEqual([
      ...[magic, vocabulary],
      ...[frames, width, heads, layers],
      ...[text, width, heads, layers],
      mels,
    ])
  })
})

describe('the grammar', () => {
  const lines = read('grammar.txt').toString('utf8').split('\n')

  it.each([
    ['English', 247],
    ['German', 77],
  ])('lists as many %s words as it says: %i', (language, count) => {
    const title = lines.indexOf(`# ${language} words (${count})`)
    expect(new Set(lines[title + 1]?.split(' ')).size).toBe(count)
  })

  it('knows every word of the references', () => {
    const known = new Set(lines[1]?.split(' '))
    const said = (['short', 'meeting60', 'meeting180'] as const).flatMap((name) =>
      readReference(name)
        .text.toLowerCase()
        .match(/[a-z]+/g),
    )
    expect(said.filter((word) => word === null || !known.has(word))).toEqual([])
  })
})

describe('the references', () => {
  const names = readdirSync(fileURLToPath(new URL('samples/', MODEL)))
    .filter((name) => name.endsWith('.ref.json'))
    .map((name) => name.replace('.ref.json', '') as SampleName)

  it('there is one for each sample', () => {
    expect(names.sort()).toEqual(['meeting180', 'meeting60', 'short'])
    expect(names.filter((name) => !existsSync(samplePath(name)))).toEqual([])
  })

  it.each(names)('%s: every word lies in its sentence, in order, inside the recording', (name) => {
    const { sentences, durationMs } = readReference(name)
    let lastMs = 0
    for (const sentence of sentences) {
      expect(sentence.words.map((word) => word.text).join(' ')).toBe(sentence.text)
      expect(sentence.words[0]?.startMs).toBe(sentence.startMs)
      expect(sentence.words.at(-1)?.endMs).toBe(sentence.endMs)
      for (const word of sentence.words) {
        expect(word.startMs).toBeGreaterThanOrEqual(lastMs)
        expect(word.endMs).toBeGreaterThan(word.startMs)
        lastMs = word.endMs
      }
    }
    expect(lastMs).toBeLessThan(durationMs)
  })
})

describe('the checkpoint', () => {
  const file = read('train/checkpoint.pt')

  it('is a whole zip with the weights and the optimiser in it', () => {
    const LOCAL_FILE = 0x04034b50
    const END = 0x06054b50
    const END_BYTES = 22
    expect(file.readUInt32LE(0)).toBe(LOCAL_FILE)
    expect(file.readUInt32LE(file.length - END_BYTES)).toBe(END)
    expect(file.readUInt16LE(file.length - END_BYTES + 10)).toBe(546)
    for (const name of ['dec.2.mlp.2.weight', 'exp_avg_sq']) expect(file.includes(name)).toBe(true)
  })
})
