import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { readReference, type SampleName, samplePath } from '../../test/support/reference.ts'
import { wordErrors } from '../../test/support/wer.ts'
import { type Container, imageBytes } from './container.ts'

// What the tests of the images have in common: a line for each thing that was shown, an error for the first that fails.

export const tell = (line: string): void => void process.stdout.write(`  ok  ${line}\n`)

export function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`NOT so: ${what}`)
  tell(what)
}

/** The value, once there is one. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined>,
  limitMs = 120_000,
): Promise<T> {
  const end = Date.now() + limitMs
  for (;;) {
    const found = await probe()
    if (found !== undefined) return found
    if (Date.now() > end) throw new Error(`waited ${limitMs / 1000} s in vain for: ${what}`)
    await sleep(200)
  }
}

/** What must hold in a running container of any of the images. */
export async function checkContainer(container: Container, image: string): Promise<void> {
  const user = await container.exec('id', '-u')
  check(user.code === 0 && user.stdout !== '0', `runs as user ${user.stdout}, not as root`)
  const write = await container.exec('sh', '-c', 'touch /x /app/x /opt/x')
  check(write.code !== 0, 'its root is read-only')
  const found = await container.exec(
    'sh',
    '-c',
    'for p in cc c++ gcc g++ clang nvcc cmake make ninja npm curl; do command -v $p; done; true',
  )
  check(found.code === 0 && found.stdout === '', 'there is no compiler, npm or curl in it')
  const secrets = await container.exec('sh', '-c', 'ls /root/.npmrc /run/secrets/ca 2>/dev/null; true')
  check(secrets.stdout === '', 'nothing of the build secrets is left in it')
  tell(`image ${image}: ${Math.round((await imageBytes(image)) / 1e6)} MB`)
}

export function checkWords(sample: SampleName, text: string): void {
  const { rate } = wordErrors(readReference(sample).text, text)
  check(rate <= 0.1, `${sample}: ${(100 * rate).toFixed(1)} % of the words are wrong, of at most 10 %`)
}

export const sampleBytes = (sample: SampleName): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(samplePath(sample)))
