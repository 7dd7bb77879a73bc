import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { planOutputs } from '../../client-cli/delivery.ts'
import { findInputs } from '../../client-cli/inputs.ts'
import { save } from '../../client-cli/save.ts'

let folder: string
const at = (...names: string[]) => join(folder, ...names)
function make(...names: string[]): void {
  for (const name of names) {
    mkdirSync(join(at(name), '..'), { recursive: true })
    writeFileSync(at(name), name)
  }
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'verbatim-files-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('the recordings that arguments name', () => {
  it('a directory stands for its media files, in order, with its folders', async () => {
    make('rec/b.mp3', 'rec/a.WAV', 'rec/week/c.opus', 'rec/notes.pdf', 'rec/.hidden.wav', 'rec/.git/d.wav')
    const { files, skipped } = await findInputs([at('rec')])
    expect(files).toEqual([
      { path: at('rec/a.WAV'), folder: '' },
      { path: at('rec/b.mp3'), folder: '' },
      { path: at('rec/week/c.opus'), folder: 'week' },
    ])
    expect(skipped).toEqual([at('rec/notes.pdf')])
  })

  it('a pattern stands for the files that it matches', async () => {
    make('w1/a.m4a', 'w2/b.m4a', 'w2/c.txt')
    const { files } = await findInputs([at('w*/*.m4a')])
    expect(files.map(({ path }) => path)).toEqual([at('w1/a.m4a'), at('w2/b.m4a')])
  })

  it('a file whose name looks like a pattern is that file', async () => {
    make('a[1].wav', 'a1.wav')
    expect((await findInputs([at('a[1].wav')])).files.map(({ path }) => path)).toEqual([at('a[1].wav')])
  })

  it('a file named twice is taken once', async () => {
    make('rec/a.wav')
    expect((await findInputs([at('rec/a.wav'), at('rec'), `${folder}/rec/../rec/a.wav`])).files).toHaveLength(
      1,
    )
  })

  it('a named file needs no media extension, and may be missing: its own upload says so', async () => {
    make('dictation')
    const { files } = await findInputs([at('dictation'), at('gone.wav'), '-'])
    expect(files.map(({ path }) => path)).toEqual([at('dictation'), at('gone.wav'), '-'])
  })

  it('a pattern without a match and a directory without recordings are usage errors', async () => {
    make('rec/notes.pdf')
    await expect(findInputs([at('*.wav')])).rejects.toThrow('Nothing matches')
    await expect(findInputs([at('rec')])).rejects.toThrow('There is no recording in')
  })
})

describe('writing transcripts', () => {
  const bytes = Buffer.from('words')

  it('makes the folder and leaves no draft behind', async () => {
    expect(await save(at('x/y/a.txt'), bytes, false)).toBe(true)
    expect(readdirSync(at('x/y'))).toEqual(['a.txt'])
    expect(readFileSync(at('x/y/a.txt'), 'utf8')).toBe('words')
  })

  it('replaces a file only when asked to', async () => {
    make('a.txt')
    expect(await save(at('a.txt'), bytes, false)).toBe(false)
    expect(readFileSync(at('a.txt'), 'utf8')).toBe('a.txt')
    expect(await save(at('a.txt'), bytes, true)).toBe(true)
    expect(readFileSync(at('a.txt'), 'utf8')).toBe('words')
    expect(readdirSync(folder)).toEqual(['a.txt'])
  })

  it('says why it cannot', async () => {
    make('file')
    await expect(save(at('file/a.txt'), bytes, false)).rejects.toThrow(/cannot be written \(E/)
  })
})

describe('planning what to write', () => {
  const plan = (existing: 'refuse' | 'skip' | 'overwrite', names: string[]) =>
    planOutputs(
      { formats: ['srt', 'txt'], directory: folder, existing },
      names.map((name) => ({ name, folder: '', path: at(name) })),
    ).map((outputs) => outputs.map(({ path }) => path))

  it('refuses everything when one file is in the way', () => {
    make('b.txt')
    expect(() => plan('refuse', ['a.wav', 'b.wav'])).toThrow('b.txt exists already')
  })

  it('may skip what is there and make the rest', () => {
    make('a.txt', 'a.srt', 'b.txt')
    expect(plan('skip', ['a.wav', 'b.wav'])).toEqual([[], [at('b.srt')]])
  })

  it('never replaces a recording, even when asked to overwrite', () => {
    make('talk.txt')
    expect(() => plan('overwrite', ['talk.txt'])).toThrow('would replace the recording itself')
  })
})
