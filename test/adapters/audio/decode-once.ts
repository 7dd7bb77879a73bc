import { createDecoder } from '../../../lib/adapters/audio/decoder.ts'

// A program for limits.test.ts: decodes one file and prints how it went, and how much memory this process needed.

const [ffmpeg = 'off', path = '', scratchDir = ''] = process.argv.slice(2)
const limits = { maxDurationMs: 1e9, timeoutMs: 120_000 }

function print(said: object): void {
  process.stdout.write(JSON.stringify({ ...said, peakRssMb: process.resourceUsage().maxRSS / 1024 }))
}

try {
  const decoder = createDecoder({ ffmpeg: ffmpeg === 'off' ? null : ffmpeg, scratchDir })
  const recording = await decoder.decode(path, { channels: 'mix', limits, onPcm: () => {} })
  print({ durationMs: recording.durationMs })
  await recording.dispose()
} catch (thrown) {
  print({ code: (thrown as { code?: unknown }).code })
}
