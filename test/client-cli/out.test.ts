import { describe, expect, it } from '@jest/globals'
import { createOut } from '../../client-cli/out.ts'

const ESC = '\x1b'

function terminal(o: { stderrTty: boolean; quiet?: boolean; color?: boolean }) {
  const written = { stdout: '', stderr: '' }
  const out = createOut({
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { isTTY: o.stderrTty, write: (text) => (written.stderr += text) },
    quiet: o.quiet ?? false,
    json: false,
    color: o.color ?? true,
  })
  return { out, written }
}

describe('stdout is data, stderr is conversation', () => {
  it('nothing but data reaches stdout', () => {
    const { out, written } = terminal({ stderrTty: true })
    out.pin(['uploading'])
    out.say('note')
    out.warn('error')
    out.data('data\n')
    out.json({ a: 1 })
    expect(written.stdout).toBe('data\n{"a":1}\n')
  })

  it('pinned lines are taken away before other text and drawn again after it', () => {
    const { out, written } = terminal({ stderrTty: true })
    out.pin(['one', 'two'])
    const before = written.stderr.length
    out.say('note')
    expect(written.stderr.slice(before)).toMatch(
      new RegExp(`^${ESC}\\[2A\\r${ESC}\\[Jnote\\n.*one\\ntwo\\n`, 's'),
    )
  })

  it('without a terminal there are no pinned lines, colours or control characters', () => {
    const { out, written } = terminal({ stderrTty: false })
    out.pin(['one'])
    out.say(out.paint('red', 'note'))
    expect(written.stderr).toBe('note\n')
  })

  it('NO_COLOR is heeded on a terminal', () => {
    expect(terminal({ stderrTty: true }).out.paint('red', 'x')).not.toBe('x')
    expect(terminal({ stderrTty: true, color: false }).out.paint('red', 'x')).toBe('x')
  })

  it('--quiet leaves only errors', () => {
    const { out, written } = terminal({ stderrTty: true, quiet: true })
    out.pin(['one'])
    out.say('note')
    out.warn('error')
    expect(written.stderr).toBe('error\n')
  })
})
