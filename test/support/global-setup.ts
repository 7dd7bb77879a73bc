/** The engine is built before the first test; see lib/adapters/whisper/build.ts. */
export default async function globalSetup(): Promise<void> {
  const { ensureEngine } = await import('../../lib/adapters/whisper/build.ts')
  await ensureEngine({ onProgress: (line) => process.stderr.write(`engine: ${line}\n`) })
}
