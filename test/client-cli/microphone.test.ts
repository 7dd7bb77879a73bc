import { describe, expect, it } from '@jest/globals'
import { microphone, microphoneInputs } from '../../client-cli/live/microphone.ts'
import { newSessionId } from '../../client-cli/live/session-id.ts'
import { SessionId } from '../../lib/core/session.ts'

describe('microphoneInputs', () => {
  it('knows how ffmpeg reads the microphone on each system', () => {
    expect(microphoneInputs('linux', undefined)).toEqual([
      ['-f', 'pulse', '-i', 'default'],
      ['-f', 'alsa', '-i', 'default'],
    ])
    expect(microphoneInputs('darwin', undefined)).toEqual([['-f', 'avfoundation', '-i', ':default']])
    expect(microphoneInputs('darwin', '1')).toEqual([['-f', 'avfoundation', '-i', ':1']])
    expect(microphoneInputs('win32', 'Mic (USB)')).toEqual([['-f', 'dshow', '-i', 'audio=Mic (USB)']])
  })
})

describe('microphone', () => {
  it('says so where no microphone can be opened', async () => {
    const stop = new AbortController().signal
    const sound = microphone({ command: 'ffmpeg', device: 'no-such-device', platform: 'linux', stop })
    await expect(sound.next()).rejects.toMatchObject({
      code: 'bad-request',
      message: 'No microphone can be opened.',
      hint: expect.stringContaining('--device'),
    })
  })
})

describe('newSessionId', () => {
  it('can be read out and is another one each time', () => {
    const now = new Date('2026-11-20T15:54:00Z')
    const ids = new Set(Array.from({ length: 100 }, () => newSessionId(now)))
    expect(ids.size).toBe(100)
    for (const id of ids) {
      expect(SessionId.parse(id)).toMatch(/^[a-z]+-[a-z]+-20261120-1554-[0-9a-z]{4}$/)
    }
  })
})
