import { describe, expect, it } from '@jest/globals'
import { transcriptNames } from '../../client-cli/names.ts'

const flat = (...names: string[]) => transcriptNames(names.map((name) => ({ name, folder: '' })))

describe('the names of transcripts', () => {
  it('drop the extension of the recording', () => {
    expect(flat('talk.wav', 'a/b/meeting.2024.mp3')).toEqual(['talk', 'meeting.2024'])
  })

  it('keep the extension where two recordings differ only in that', () => {
    expect(flat('talk.wav', 'talk.mp3', 'other.wav')).toEqual(['talk.wav', 'talk.mp3', 'other'])
  })

  it('get a number where two recordings of different folders are called the same', () => {
    expect(flat('x/talk.wav', 'y/talk.wav', 'z/talk.wav')).toEqual(['talk.wav', 'talk.wav-2', 'talk.wav-3'])
  })

  it('differ by more than case, since some file systems fold it', () => {
    const names = flat('Talk.wav', 'talk.wav', 'TALK.WAV').map((name) => name.toLowerCase())
    expect(new Set(names).size).toBe(3)
  })

  it('never meet a number that was given out', () => {
    const names = flat('x/a.wav', 'y/a.wav', 'a.wav-2.wav', 'z/a.wav')
    expect(new Set(names).size).toBe(4)
  })

  it('stay in their folder whatever the service says the recording was called', () => {
    for (const name of [
      '../../etc/passwd.wav',
      '..',
      '/root/.bashrc',
      'a\\..\\b',
      '\x1b]0;x\x07.wav',
      '',
      '.wav',
    ]) {
      const [made] = flat(name)
      expect(made).toMatch(/^[^./\\\p{Cc}][^/\\\p{Cc}]*$/u)
    }
  })

  it('leave room for the extension in what a file system takes', () => {
    const [made] = flat(`${'ä'.repeat(120)}.wav`)
    expect(Buffer.byteLength(`${made}-99.json`)).toBeLessThanOrEqual(255)
    expect(made).toMatch(/^ä+$/)
  })

  it('keep the folders below a directory', () => {
    expect(
      transcriptNames([
        { name: 'a.wav', folder: 'x' },
        { name: 'a.wav', folder: 'y' },
      ]),
    ).toEqual(['x/a', 'y/a'])
  })
})
