import { readFile } from 'node:fs/promises'

/** CPU features that matter to ggml's kernels, by their names in /proc/cpuinfo and in ggml's CMakeLists.txt. */
const X86_FEATURES = {
  avx: 'GGML_AVX',
  avx2: 'GGML_AVX2',
  fma: 'GGML_FMA',
  f16c: 'GGML_F16C',
  bmi2: 'GGML_BMI2',
}

/**
 * Options for cmake. llamafile's kernels and AVX2 make the encoder several times faster than a default build;
 * GGML_NATIVE is off so that the outcome depends on these flags alone. With GGML_NATIVE off, ggml turns every x86
 * feature on by itself, hence each one is written out, off where this CPU lacks it.
 */
export async function cmakeFlags(): Promise<string[]> {
  const common = {
    CMAKE_BUILD_TYPE: 'Release',
    BUILD_SHARED_LIBS: 'OFF',
    GGML_NATIVE: 'OFF',
    GGML_LLAMAFILE: 'ON',
    GGML_CCACHE: 'OFF',
    WHISPER_BUILD_TESTS: 'OFF',
    WHISPER_BUILD_EXAMPLES: 'ON',
    WHISPER_BUILD_SERVER: 'ON',
    WHISPER_CURL: 'OFF',
    WHISPER_SDL2: 'OFF',
  }
  const features = process.arch === 'x64' ? x86Flags(await cpuFeatures()) : {}
  return Object.entries({ ...common, ...features }).map(([name, value]) => `-D${name}=${value}`)
}

/** `features` undefined: unknown, so all are assumed (every x86 Mac that still gets updates has AVX2). */
export function x86Flags(features: ReadonlySet<string> | undefined): Record<string, 'ON' | 'OFF'> {
  return Object.fromEntries(
    Object.entries(X86_FEATURES).map(([feature, flag]) => [
      flag,
      features === undefined || features.has(feature) ? ('ON' as const) : ('OFF' as const),
    ]),
  )
}

async function cpuFeatures(): Promise<ReadonlySet<string> | undefined> {
  const info = await readFile('/proc/cpuinfo', 'utf8').catch(() => '')
  const line = /^flags\s*:(.*)$/m.exec(info)?.[1]
  return line === undefined ? undefined : new Set(line.trim().split(/\s+/))
}
