/**
 * Has a browser save the body under `filename`: RFC 6266, with an ASCII stand-in for old clients and the whole name
 * in RFC 5987's encoding.
 */
export function attachment(filename: string): string {
  const name = filename.toWellFormed()
  // A percent sign or a slash in the stand-in is read in different ways by different browsers (RFC 6266, appendix D).
  const ascii = name.replace(/[^\x20-\x7e]|["\\%/]/g, '_')
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`)
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`
}
