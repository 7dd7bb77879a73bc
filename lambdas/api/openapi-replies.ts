import type * as z from 'zod'
import { ErrorReply } from '../../lib/core/contract.ts'
import { ERRORS, type ErrorCode } from '../../lib/core/errors.ts'

/** A body of JSON, as OpenAPI writes it. */
export const jsonOf = (schema: z.ZodType) => ({ content: { 'application/json': { schema } } })

/** Replies for the codes a route may answer with, joined by HTTP status. */
export function failures(...codes: readonly ErrorCode[]) {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of codes)
    byStatus.set(ERRORS[code].http, [...(byStatus.get(ERRORS[code].http) ?? []), code])
  return Object.fromEntries(
    Array.from(byStatus, ([status, its]) => [
      String(status),
      { description: its.join(', '), ...jsonOf(ErrorReply) },
    ]),
  )
}
