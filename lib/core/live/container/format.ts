/**
 * The smallest part of a stream at which decoding can begin: a block, page, fragment or frame. Bytes are counted in
 * what was scanned, times are ms of the stream.
 */
export interface Unit {
  readonly at: number
  /** The byte behind it. */
  readonly end: number
  readonly ms: number
  readonly durationMs: number
  /** It does not follow on the one before: bytes were skipped in between that make no sense. */
  readonly fresh?: true
  /** WebM: the time of the cluster around it, without which its own time means nothing. */
  readonly base?: number
}

/** Where a scan begins, and what is known there. */
export interface ScanStart {
  readonly at: number
  readonly ms: number
  /** Sound up to here is known, so what comes is not before; `ms` is later when sound is believed lost. */
  readonly leastMs: number
  readonly base?: number | undefined
  /** A unit begins exactly here. Otherwise the first place is looked for that can only be one. */
  readonly synced: boolean
}

export interface Scan {
  readonly units: Unit[]
  /** From here on the bytes may be a unit whose end has not come yet. */
  readonly rest: number
}

/** A stream whose header has been read. */
export interface Format {
  /** Units tell their own time; otherwise they are counted, and sound that was lost leaves no trace. */
  readonly timed: boolean
  /** Where the sound begins, counted from the stream's first byte. */
  readonly bodyAt: number
  /** All whole units from a place on. Bytes that make no sense are stepped over. */
  scan(bytes: Uint8Array, from: ScanStart): Scan
  /** A file of its own of units that follow each other. */
  build(bytes: Uint8Array, units: readonly Unit[]): Uint8Array
}

/**
 * What a header says: `incomplete` while its end has not come; `whole` for streams without places to resume at, or of
 * which no more is known here than that a decoder may know them.
 */
export type Header = Format | 'incomplete' | 'whole'

/** More bytes than this in front of the first sound are no header. */
export const MAX_HEADER_BYTES = 1024 ** 2

/** The bytes from the first unit's beginning to the last one's end. */
export const span = (bytes: Uint8Array, units: readonly Unit[]): Uint8Array =>
  bytes.subarray(units[0]?.at ?? 0, units.at(-1)?.end ?? 0)
