import type { WorkerVariables as AllVariables } from '../../adapters/aws/environment.ts'

/** Those that lie in the image, beside the files they name. */
type OfTheImage = 'ENGINE_PATH' | 'ENGINE_VERSION' | 'MODEL_PATH'

/** What a deployment tells a worker; the rest of its environment is set in its Dockerfile. */
export type WorkerVariables = Omit<AllVariables, OfTheImage>
