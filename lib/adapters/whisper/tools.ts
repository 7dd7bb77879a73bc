import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { VerbatimError } from '../../core/errors.ts'
import { env } from '../env.ts'

/** What building the engine needs, and the names that each may go by. */
const TOOLS = {
  cmake: ['cmake'],
  compiler: ['c++', 'g++', 'clang++'],
  make: ['ninja', 'make', 'gmake'],
  tar: ['tar'],
  npm: ['npm'],
} as const
export type Tool = keyof typeof TOOLS

/** The command that installs a list of packages, and what each tool's package is called there. */
const MANAGERS: ReadonlyArray<{ program: string; install: string; packages: Record<Tool, string> }> = [
  {
    program: 'brew',
    install: 'brew install',
    packages: { cmake: 'cmake', compiler: 'gcc', make: 'ninja', tar: 'gnu-tar', npm: 'node' },
  },
  {
    program: 'apt-get',
    install: 'sudo apt-get install -y',
    packages: { cmake: 'cmake', compiler: 'g++', make: 'ninja-build', tar: 'tar', npm: 'npm' },
  },
  {
    program: 'dnf',
    install: 'sudo dnf install -y',
    packages: { cmake: 'cmake', compiler: 'gcc-c++', make: 'ninja-build', tar: 'tar', npm: 'npm' },
  },
  {
    program: 'apk',
    install: 'apk add',
    packages: { cmake: 'cmake', compiler: 'g++', make: 'ninja', tar: 'tar', npm: 'npm' },
  },
]

/** Where on the PATH the first of these programs is. */
export async function findProgram(...names: readonly string[]): Promise<string | undefined> {
  const folders = (env().PATH ?? '').split(delimiter).filter(Boolean)
  for (const name of names) {
    for (const folder of folders) {
      const path = join(folder, name)
      const found = await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
      if (found) return path
    }
  }
  return undefined
}

/** Paths of these tools. Fails with `engine-missing`, whose hint is the command that installs what is missing. */
export async function findTools<T extends Tool>(...tools: readonly T[]): Promise<Record<T, string>> {
  const found: Partial<Record<T, string>> = {}
  for (const tool of tools) {
    const path = await findProgram(...TOOLS[tool])
    if (path) found[tool] = path
  }
  const missing = tools.filter((tool) => !found[tool])
  if (missing.length > 0) throw await missingTools(missing)
  return found as Record<T, string>
}

async function missingTools(missing: readonly Tool[]): Promise<VerbatimError> {
  const names = missing.map((tool) => (tool === 'compiler' ? 'a C++ compiler' : TOOLS[tool].join(' or ')))
  return new VerbatimError('engine-missing', `Building the engine needs ${names.join(', ')}.`, {
    hint: await installHint(missing),
  })
}

async function installHint(missing: readonly Tool[]): Promise<string> {
  if (process.platform === 'darwin' && missing.includes('compiler')) return 'Run: xcode-select --install'
  for (const manager of MANAGERS) {
    if (!(await findProgram(manager.program))) continue
    const packages = missing.map((tool) => manager.packages[tool])
    return `Run: ${manager.install} ${packages.join(' ')}`
  }
  return `Install with this system's package manager: ${missing.map((tool) => TOOLS[tool][0]).join(', ')}.`
}
