import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { FORMATS } from '../../../lib/core/job.ts'
import { Transcript } from '../../../lib/core/transcript/shape.ts'
import { timecode } from '../../../lib/core/transcript/timecode.ts'
import { CONTENT_TYPES, write } from '../../../lib/core/transcript/write.ts'
import { needFfmpeg } from '../../support/media.ts'
import { segment, transcriptOf } from './support.ts'

const HOSTILE = [
  '1\n\n2\n00:00:00,000 --> 00:00:09,000\ninjected',
  '<script>alert("x")</script> & <b>bold</b> </v>',
  '----> a-->b NOTE\u0000 STYLE\r\n\r\nWEBVTT',
  '\ud800 half a character',
]

const talk = transcriptOf(
  segment(0, 2000, 'Good morning.', 'channel-1'),
  segment(2100, 4000, 'How are you?', 'channel-1'),
  segment(4200, 6000, 'Fine, thanks.', 'channel-2'),
  segment(9000, 9900, 'Shall we?', 'channel-2'),
)
const hostile = transcriptOf(
  ...HOSTILE.map((text, i) => segment(i * 5000, i * 5000 + 4000, text, 'A --> <B>\n&')),
)
const scripts = transcriptOf(
  segment(0, 3000, '今天我们讨论预算。'),
  segment(3000, 5000, '好的!'),
  segment(5000, 8000, 'مرحبا، كيف حالك؟ \u200fنعم'),
  segment(8000, 9000, 'Hi 👩‍👩‍👧‍👦 cafe\u0301'),
  segment(9000, 10_000, 'สวัสดีครับ'),
)
const hours = transcriptOf(segment(120 * 3_600_000, 120 * 3_600_000 + 1234, 'Still here.'))

describe('SRT', () => {
  it('numbers its captions and names the speaker when it changes', () => {
    expect(write(talk, 'srt')).toBe(
      [
        '1\n00:00:00,000 --> 00:00:02,000\nchannel-1: Good morning.\n',
        '2\n00:00:02,100 --> 00:00:04,000\nHow are you?\n',
        '3\n00:00:04,200 --> 00:00:06,000\nchannel-2: Fine, thanks.\n',
        '4\n00:00:09,000 --> 00:00:09,900\nShall we?\n',
      ].join('\n'),
    )
  })

  it('leaves room for the name on the first line', () => {
    const long = segment(
      0,
      5000,
      'The quarterly report must reach the office before the meeting starts',
      'channel-1',
    )
    const [, , first, second] = write(transcriptOf(long), 'srt').split('\n')
    expect(first).toMatch(/^channel-1: /)
    expect(first!.length).toBeLessThanOrEqual(42)
    expect(second!.length).toBeLessThanOrEqual(42)
  })

  it('cannot be broken by what was said or by a name', () => {
    const srt = write(hostile, 'srt')
    expect(srt.match(/-->/g)).toHaveLength(
      srt.match(/^\d\d:\d\d:\d\d,\d{3} --> \d\d:\d\d:\d\d,\d{3}$/gm)!.length,
    )
    const blocks = srt.trimEnd().split('\n\n')
    for (const [i, block] of blocks.entries()) expect(block.split('\n')[0]).toBe(String(i + 1))
    expect(srt).not.toContain('\u0000')
    expect(srt).not.toContain('\r')
    expect(srt).toContain('<script>')
    expect(srt.isWellFormed()).toBe(true)
  })
})

describe('WebVTT', () => {
  it('gives each cue its voice', () => {
    expect(write(talk, 'vtt')).toBe(
      [
        'WEBVTT\n',
        '1\n00:00:00.000 --> 00:00:02.000\n<v channel-1>Good morning.\n',
        '2\n00:00:02.100 --> 00:00:04.000\n<v channel-1>How are you?\n',
        '3\n00:00:04.200 --> 00:00:06.000\n<v channel-2>Fine, thanks.\n',
        '4\n00:00:09.000 --> 00:00:09.900\n<v channel-2>Shall we?\n',
      ].join('\n'),
    )
  })

  it('cannot be broken by what was said or by a name', () => {
    const vtt = write(hostile, 'vtt')
    expect(vtt).toContain('<v A --&gt; &lt;B&gt; &amp;>&lt;script&gt;alert')
    expect(vtt.match(/-->/g)).toHaveLength(vtt.match(/^[\d:.]{12} --> [\d:.]{12}$/gm)!.length)
    for (const block of vtt.trimEnd().split('\n\n').slice(1)) expect(block).toMatch(/^\d+\n[\d:.]{12} --> /)
    expect(vtt.replace(/<v [^<>]*>/g, '').replaceAll(' --> ', '')).not.toMatch(/[<>]/)
  })
})

describe('plain text', () => {
  it('begins a paragraph with a speaker or after a pause', () => {
    expect(write(talk, 'txt')).toBe(
      'channel-1: Good morning. How are you?\n\nchannel-2: Fine, thanks.\n\nShall we?\n',
    )
  })

  it('puts no space between Chinese sentences and leaves right-to-left text as it is', () => {
    expect(write(scripts, 'txt')).toBe(
      '今天我们讨论预算。好的! مرحبا، كيف حالك؟ \u200fنعم Hi 👩‍👩‍👧‍👦 cafe\u0301 สวัสดีครับ\n',
    )
  })

  it('has one line for each paragraph whatever was said', () => {
    const lines = write(hostile, 'txt').split('\n')
    expect(lines).toHaveLength(2)
    expect(lines[0]).toMatch(/^A --> <B> &: 1 2 00:00/)
  })
})

describe('JSON', () => {
  it('is the transcript, on one line', () => {
    const json = write(talk, 'json')
    expect(json.trimEnd()).not.toContain('\n')
    expect(json.endsWith('\n')).toBe(true)
    expect(Transcript.parse(JSON.parse(json))).toEqual(talk)
    expect(JSON.parse(write(hostile, 'json'))).toEqual(hostile)
  })

  it('refuses what is not a transcript, without quoting it', () => {
    const wrong = { ...talk, durationMs: 1.5, text: 'secret words' }
    expect(() => write(wrong, 'json')).toThrow(expect.objectContaining({ code: 'internal' }))
    expect(() => write(wrong, 'json')).not.toThrow(/secret/)
  })
})

const partial: Transcript = {
  ...transcriptOf(
    segment(0, 2000, 'Good morning.', 'Ada'),
    segment(2100, 4000, 'How are you?', 'Ada'),
    segment(375_000, 377_000, 'And that is the budget.', 'Ada'),
  ),
  gaps: [
    { startMs: 5000, endMs: 375_000, code: 'engine-crashed' },
    { startMs: 3_900_000, endMs: 3_902_500, channel: 1, code: 'engine-timeout' },
  ],
}

describe('a stretch that was not transcribed', () => {
  it('is a paragraph of the text, in its place and with its times', () => {
    expect(write(partial, 'txt')).toBe(
      [
        'Ada: Good morning. How are you?\n',
        '[00:05–06:15 not transcribed]\n',
        'Ada: And that is the budget.\n',
        '[1:05:00–1:05:02 not transcribed, channel-2]\n',
      ].join('\n'),
    )
  })

  it('shows for four seconds in SRT, or as long as it lasts', () => {
    expect(write(partial, 'srt').split('\n\n').slice(2)).toEqual([
      '3\n00:00:05,000 --> 00:00:09,000\n[00:05–06:15 not transcribed]',
      '4\n00:06:15,000 --> 00:06:17,000\nAnd that is the budget.',
      '5\n01:05:00,000 --> 01:05:02,500\n[1:05:00–1:05:02 not transcribed, channel-2]\n',
    ])
  })

  it('shows in WebVTT too, with a comment that has its ends and the reason', () => {
    expect(write(partial, 'vtt').split('\n\n').slice(3, 5)).toEqual([
      'NOTE gap from 00:00:05.000 to 00:06:15.000: engine-crashed',
      '3\n00:00:05.000 --> 00:00:09.000\n[00:05–06:15 not transcribed]',
    ])
  })

  it('is in the JSON as it is', () => {
    expect(JSON.parse(write(partial, 'json')).gaps).toEqual(partial.gaps)
  })

  it('cannot break a file by its reason', () => {
    const [gap] = partial.gaps!
    const vtt = write({ ...partial, gaps: [{ ...gap!, code: '-->\n\nNOTE' }] }, 'vtt')
    expect(vtt.match(/-->/g)).toHaveLength(vtt.match(/^[\d:.]{12} --> [\d:.]{12}$/gm)!.length)
    expect(vtt).toContain(': --&gt; NOTE\n')
  })

  it('may be all there is', () => {
    const nothing = { ...transcriptOf(), gaps: [{ startMs: 0, endMs: 59_999, code: 'engine-crashed' }] }
    expect(write(nothing, 'txt')).toBe('[00:00–00:59 not transcribed]\n')
    expect(write(nothing, 'srt')).toBe('1\n00:00:00,000 --> 00:00:04,000\n[00:00–00:59 not transcribed]\n')
  })
})

describe('every format', () => {
  it('is valid when nobody spoke', () => {
    const silent = transcriptOf()
    expect(write(silent, 'srt')).toBe('')
    expect(write(silent, 'vtt')).toBe('WEBVTT\n')
    expect(write(silent, 'txt')).toBe('')
    expect(JSON.parse(write(silent, 'json'))).toEqual(silent)
  })

  it('has a content type', () => {
    expect(Object.keys(CONTENT_TYPES).sort()).toEqual([...FORMATS].sort())
  })

  it.each([
    [0, '00:00:00,000'],
    [3_599_999, '00:59:59,999'],
    [359_999_999, '99:59:59,999'],
    [120 * 3_600_000 + 1234, '120:00:01,234'],
  ])('%d ms is %s', (ms, expected) => {
    expect(timecode(ms, ',')).toBe(expected)
  })
})

describe('as ffmpeg reads it', () => {
  beforeAll(async () => void (await needFfmpeg()))

  function read(name: string, body: string): string[] {
    const folder = mkdtempSync(join(tmpdir(), 'verbatim-subtitles-'))
    try {
      writeFileSync(join(folder, name), body)
      const args = ['-v', 'error', '-i', join(folder, name), '-f', 'webvtt', '-']
      const { status, stdout, stderr } = spawnSync('ffmpeg', args, { encoding: 'utf8' })
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      return stdout.match(/^[\d:.]+ --> [\d:.]+$/gm) ?? []
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  it.each([
    ['a talk', talk],
    ['hostile text', hostile],
    ['many scripts', scripts],
    ['120 hours', hours],
    ['a talk with gaps', partial],
  ])('%s has the same captions in SRT and WebVTT', (_, transcript) => {
    const vtt = write(transcript, 'vtt')
    const expected = vtt
      .match(/^[\d:.]+ --> [\d:.]+$/gm)!
      .map((times) => times.replace(/\b00:(\d\d:\d\d\.)/g, '$1'))
    expect(read('x.vtt', vtt)).toEqual(expected)
    // Without a speaker, SRT is cut at the same places; with one, its first lines are shorter.
    const srt = read('x.srt', write(transcript, 'srt'))
    expect(srt).toHaveLength(write(transcript, 'srt').match(/ --> /g)!.length)
  })
})
