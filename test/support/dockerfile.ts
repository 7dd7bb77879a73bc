import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

// What a Dockerfile of containers/ says, as far as the tests ask: no parser of the whole language.

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface Stage {
  readonly name: string
  /** Name of the stage or image that it goes on from. */
  readonly from: string
  /** Paths of the repository that are copied to the same place; a folder with all in it. */
  readonly copied: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly commands: readonly string[]
  /** Word by word. */
  readonly text: string
}

export interface Dockerfile {
  readonly args: Readonly<Record<string, string>>
  readonly stages: readonly Stage[]
}

/** The last stage, which has no name, is `final`. */
export function readDockerfile(file: string): Dockerfile {
  const text = readFileSync(`${ROOT}containers/${file}`, 'utf8')
  const [head = '', ...rest] = text.split(/^(?=FROM )/m)
  const args = Object.fromEntries([...head.matchAll(/^ARG (\w+)="?([^"\n]*)"?$/gm)].map(([, k, v]) => [k, v]))
  return { args, stages: rest.map((it) => stageOf(it, args)) }
}

function stageOf(text: string, args: Readonly<Record<string, string>>): Stage {
  const lines = text
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
  const valuesOf = (instruction: string) =>
    lines
      .filter((line) => line.startsWith(`${instruction} `))
      .map((line) => line.slice(instruction.length + 1))
  const [, from = '', name = 'final'] = /^(\S+)(?: AS (\S+))?$/.exec(valuesOf('FROM')[0]!)!
  return {
    ...{ name, text, commands: valuesOf('RUN') },
    from: from.replace(/^\$\{(\w+)\}$/, (_, arg: string) => args[arg]!),
    copied: valuesOf('COPY')
      .filter((line) => !line.includes('--from='))
      .flatMap((line) =>
        line
          .split(/\s+/)
          .filter((word) => !word.startsWith('--'))
          .slice(0, -1),
      )
      .map((path) => path.replace(/\/$/, '')),
    env: Object.fromEntries(
      valuesOf('ENV').flatMap((line) => [...line.matchAll(/(\w+)=(\S+)/g)].map(([, k, v]) => [k!, v!])),
    ),
  }
}

/** A stage and those that it goes on from. */
export function lineage({ stages }: Dockerfile, name: string): Stage[] {
  const stage = stages.find((it) => it.name === name)
  return stage ? [stage, ...lineage({ args: {}, stages }, stage.from)] : []
}
