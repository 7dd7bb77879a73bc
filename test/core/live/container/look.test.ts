import { describe, expect, it } from '@jest/globals'
import { lookAt, readHeader } from '../../../../lib/core/live/container/look.ts'
import { wavBytes } from '../../../support/wav.ts'

const bytes = (text: string) => Buffer.from(text.padEnd(64, '\0'), 'latin1')
const OCTETS = 'application/octet-stream'

/** MPEG-1 layer III, 128 kbit/s at 44.1 kHz: 417 bytes; and ADTS with 200 bytes. */
const mp3Frames = (count: number) =>
  Buffer.concat(
    Array.from({ length: count }, () => Buffer.from([0xff, 0xfb, 0x90, 0, ...Array(413).fill(0)])),
  )
const adtsFrames = (count: number) =>
  Buffer.concat(
    Array.from({ length: count }, () =>
      Buffer.from([0xff, 0xf1, 0x50, 0x80, 0x19, 0x1f, 0xfc, ...Array(193).fill(0)]),
    ),
  )

describe('lookAt', () => {
  it.each([
    ['webm', bytes('\x1aE\xdf\xa3\x9fB')],
    ['ogg', bytes('OggS\0\x02')],
    ['flac', bytes('fLaC\0\0\0"')],
    ['amr', bytes('#!AMR\n')],
    ['wav', bytes('RIFF\0\0\0\0WAVEfmt ')],
    ['mpeg', bytes('ID3\x04\0\0')],
    ['mp4', bytes('\0\0\0\x18ftypiso5')],
    ['mpeg', mp3Frames(3)],
    ['mpeg', adtsFrames(3)],
    ['other', bytes('caff\0\x01')],
  ])('sees that %s begins', (kind, head) => {
    expect(lookAt(head, OCTETS)).toBe(kind)
    // What a client says does not count where the bytes tell.
    expect(lookAt(head, 'audio/pcm;rate=16000')).toBe(kind)
  })

  it.each([
    ['a later page of Ogg', bytes('OggS\0\0')],
    ['a cluster of WebM', bytes('\x1f\x43\xb6\x75\x01\xff')],
    ['a fragment of MP4', bytes('\0\0\0\x18moof')],
    ['something that looks like one MP3 frame', Buffer.concat([mp3Frames(1), bytes('x')])],
    ['text', bytes('hello')],
    ['nothing', Buffer.alloc(0)],
  ])('sees no beginning in %s', (_, head) => {
    expect(lookAt(head, OCTETS)).toBeUndefined()
  })

  it('takes frames for the going on of a stream of frames, but a table of contents for a new file', () => {
    expect(lookAt(mp3Frames(3), OCTETS, 'mpeg')).toBeUndefined()
    const table = mp3Frames(3)
    table.write('Xing', 36)
    expect(lookAt(table, OCTETS, 'mpeg')).toBe('mpeg')
  })

  it.each([
    ['audio/pcm', 'pcm:1:16:16000:1:le'],
    ['audio/pcm;rate=48000;channels=2', 'pcm:1:16:48000:2:le'],
    ['audio/pcm; rate=8000; format=s16be', 'pcm:1:16:8000:1:be'],
    ['audio/raw;format=f32le', 'pcm:3:32:16000:1:le'],
    ['audio/pcm;bits=24', 'pcm:1:24:16000:1:le'],
    ['audio/pcm;encoding=mulaw;rate=8000', 'pcm:7:8:8000:1:le'],
    ['audio/L16;rate=44100;channels=2', 'pcm:1:16:44100:2:be'],
    ['audio/l16', 'pcm:1:16:16000:1:be'],
  ])('takes the layout of samples from the type %s', (type, kind) => {
    expect(lookAt(bytes('x'), type)).toBe(kind)
    expect(lookAt(bytes('x'), type, kind)).toBeUndefined()
    expect(lookAt(bytes('x'), type, 'webm')).toBe(kind)
  })

  it.each([
    'audio/pcm;rate=0',
    'audio/pcm;rate=x',
    'audio/pcm;channels=99',
    'audio/pcm;format=mp3',
    'audio/wav',
    '',
  ])('takes none from the type %s', (type) => {
    expect(lookAt(bytes('x'), type)).toBeUndefined()
  })
})

describe('readHeader', () => {
  it('waits for the end of a header, then says where the sound begins', () => {
    const wav = wavBytes(new Int16Array(100))
    for (let length = 12; length < 44; length++) {
      expect(readHeader('wav', wav.subarray(0, length))).toBe('incomplete')
    }
    expect(readHeader('wav', wav)).toMatchObject({ bodyAt: 44, timed: false })
  })

  it('leaves to the decoder what it does not know', () => {
    const adpcm = wavBytes(new Int16Array(100))
    adpcm.writeUInt16LE(0x11, 20)
    expect(readHeader('wav', adpcm)).toBe('whole')
    expect(readHeader('other', bytes('caff'))).toBe('whole')
    expect(readHeader('mp4', bytes('\0\0\0\x08ftyp\0\0\0\x18mdat'))).toBe('whole')
  })
})
