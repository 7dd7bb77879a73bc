import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32, deflateRawSync } from 'node:zlib'

const LOCAL = 0x04034b50
const CENTRAL = 0x02014b50
const END = 0x06054b50
const VERSION = 20
const DEFLATED = 8
/** 1980-01-01, the earliest that a zip can say. */
const DATE = 0x21

/** A folder's files as a zip archive (PKWARE APPNOTE 4.3), as functions are deployed. */
export async function zipped(folder: string): Promise<Buffer> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const bodies: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const entry of entries.filter((it) => it.isFile())) {
    const path = join(entry.parentPath, entry.name)
    const content = await readFile(path)
    const name = Buffer.from(path.slice(folder.length + 1))
    const packed = deflateRawSync(content)
    const facts = words(
      [2, VERSION, 0, DEFLATED, 0, DATE],
      [4, crc32(content), packed.length, content.length],
      [2, name.length, 0],
    )
    // 0o100644 in the upper half of the attributes: a plain file that anybody may read.
    const place = words([2, 0, 0, 0], [4, 0o100644 * 2 ** 16, offset])
    const body = Buffer.concat([words([4, LOCAL]), facts, name, packed])
    directory.push(Buffer.concat([words([4, CENTRAL], [2, VERSION]), facts, place, name]))
    bodies.push(body)
    offset += body.length
  }
  const index = Buffer.concat(directory)
  const count = directory.length
  const end = words([4, END], [2, 0, 0, count, count], [4, index.length, offset], [2, 0])
  return Buffer.concat([...bodies, index, end])
}

/** Little-endian numbers: each list begins with their width in bytes. */
function words(...lists: Array<[width: number, ...numbers: number[]]>): Buffer {
  const parts = lists.flatMap(([width, ...numbers]) =>
    numbers.map((number) => {
      const part = Buffer.alloc(width)
      part.writeUIntLE(number, 0, width)
      return part
    }),
  )
  return Buffer.concat(parts)
}
