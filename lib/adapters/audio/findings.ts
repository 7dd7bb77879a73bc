/** What a decoder program had to say about a file, besides the sound: gathered from its stderr, never logged. */
export interface Findings {
  /** The container was recognised and opened. */
  opened: boolean
  /** There is no sound track in it. */
  noTrack: boolean
  /** There is one, in an encoding that is not known. */
  unknownEncoding: boolean
  /** Parts could not be decoded. */
  complaints: boolean
  /** The file ends before its container does. */
  cutOff: boolean
  /** There are moving pictures, so the container's length need not be that of the sound. */
  video: boolean
  /** The container does not say how long it is, and the program guesses. */
  guessed: boolean
  /** How long the container says that the sound is. */
  promisedMs?: number
}

export const noFindings = (): Findings => ({
  opened: false,
  noTrack: false,
  unknownEncoding: false,
  complaints: false,
  cutOff: false,
  video: false,
  guessed: false,
})

/** A decoder program: how to call it, and how to read what it says. */
export interface Backend {
  program(
    path: string,
    options: { timeoutMs: number; keepChannels: boolean },
  ): {
    command: string
    args: string[]
  }
  read(line: string, findings: Findings): void
}
