import { IgnoreMode } from 'aws-cdk-lib'
import { Platform } from 'aws-cdk-lib/aws-ecr-assets'

/** Options of an image asset: only hashed at synth, built at deploy. .dockerignore says what it is made of. */
export const workerImage = (file: string, model: string) => ({
  file: `containers/${file}`,
  buildArgs: { MODEL: model },
  // The engine is built for AVX2 and for the GPUs of x86 machines.
  platform: Platform.LINUX_AMD64,
  ignoreMode: IgnoreMode.DOCKER,
})
