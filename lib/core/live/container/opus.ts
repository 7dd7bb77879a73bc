/** Frame lengths in ms by configuration number (RFC 6716, table 2): SILK, hybrid, CELT. */
const FRAME_MS = [10, 20, 40, 60, 10, 20, 40, 60, 10, 20, 40, 60, 10, 20, 10, 20].concat(
  Array.from({ length: 4 }, () => [2.5, 5, 10, 20]).flat(),
)

/** How long the sound of an Opus packet is, ms; 0 for what can't be one (RFC 6716, section 3). */
export function opusPacketMs(packet: Uint8Array): number {
  const toc = packet[0]
  if (toc === undefined) return 0
  const code = toc & 3
  const frames = code === 0 ? 1 : code < 3 ? 2 : (packet[1] ?? 0) & 63
  const ms = frames * FRAME_MS[toc >> 3]!
  return ms <= 120 ? ms : 0
}
