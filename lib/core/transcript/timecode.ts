/** `HH:MM:SS` and milliseconds after `point`; hours have as many digits as they need. */
export function timecode(ms: number, point: '.' | ','): string {
  const two = (n: number) => String(n).padStart(2, '0')
  const seconds = Math.floor(ms / 1000)
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(':')
  return `${clock}${point}${String(ms % 1000).padStart(3, '0')}`
}
