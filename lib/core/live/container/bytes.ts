// Reading of bytes that anybody may have made up: whatever lies outside reads as 0 or undefined, nothing throws.

export const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0

/** Big-endian, as most containers count; up to 6 bytes. */
export function uintBE(bytes: Uint8Array, at: number, length: number): number {
  let value = 0
  for (let i = 0; i < length; i++) value = value * 256 + byteAt(bytes, at + i)
  return value
}

/** Little-endian, as RIFF and Ogg count; up to 6 bytes. */
export function uintLE(bytes: Uint8Array, at: number, length: number): number {
  let value = 0
  for (let i = length - 1; i >= 0; i--) value = value * 256 + byteAt(bytes, at + i)
  return value
}

/** 64 bits as a number; beyond 2^53 (times that are made up) it is not exact. */
export const uint64BE = (bytes: Uint8Array, at: number): number =>
  uintBE(bytes, at, 4) * 2 ** 32 + uintBE(bytes, at + 4, 4)

export function ascii(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length))
}

/** Whether `text` (Latin-1) stands at this place. */
export function isAt(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false
  return true
}

/** Where `text` stands next, or -1. */
export function findText(bytes: Uint8Array, text: string, from: number): number {
  const first = text.charCodeAt(0)
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (isAt(bytes, at, text)) return at
  }
  return -1
}

/** A copy; `slice` of Node's buffers is none. */
export const copyOf = (bytes: Uint8Array, from = 0, to = bytes.length): Uint8Array<ArrayBuffer> =>
  new Uint8Array(bytes.subarray(from, to))

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}
