import { createLog } from '../../lib/adapters/log.ts'
import { ensureEngine } from '../../lib/adapters/whisper/build.ts'
import { resolveModel } from '../../lib/adapters/whisper/models.ts'
import { createEngine, type EngineOptions, type WhisperEngine } from '../../lib/adapters/whisper/pool.ts'

/** One process of one thread with the mini model, which says nothing. Builds the engine where that was not done yet. */
export async function engineOptions(overrides: Partial<EngineOptions> = {}): Promise<EngineOptions> {
  const built = await ensureEngine()
  const { name: modelName, path: modelPath } = await resolveModel('mini')
  const log = createLog({ level: 'silent' })
  return { ...built, modelPath, modelName, threads: 1, processes: 1, log, ...overrides }
}

/** The real engine with the mini model; whoever asks for it closes it. */
export const miniEngine = async (overrides: Partial<EngineOptions> = {}): Promise<WhisperEngine> =>
  createEngine(await engineOptions(overrides))
